"""Each rule on scripted scenes, played through the real tracker and the real engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from matpho_contracts.vocabulary import EventType, Severity
from matpho_edge.detections import Detections
from matpho_edge.rules import CameraOffline, Rule, RuleEngine, RuleHit, RuleSettings, Zone, covered, make_rules
from matpho_edge.rules.crowd import Crowd, CrowdParameters
from matpho_edge.rules.fire import Fire
from matpho_edge.rules.illegal_dumping import IllegalDumping
from matpho_edge.rules.illegal_parking import IllegalParking, IllegalParkingParameters
from matpho_edge.rules.intrusion import Intrusion
from matpho_edge.rules.object_seen import ObjectSeen, ObjectSeenParameters
from matpho_edge.rules.pedestrian_on_road import PedestrianOnRoad
from matpho_edge.rules.smoke import Smoke
from matpho_edge.rules.stopped_vehicle import StoppedVehicle
from matpho_edge.rules.wrong_way import WrongWay
from matpho_edge.track import Tracker

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
FPS = 4.0
Seen = tuple[str, float, float, float, float, float]
Scene = Callable[[float], Sequence[Seen]]


def thing(label: str, x: float, foot: float, width: float = 0.08, height: float = 0.08, score: float = 0.8) -> Seen:
    """A box by the middle of its lower edge."""
    return (label, x - width / 2, foot - height, x + width / 2, foot, score)


def person(x: float, foot: float) -> Seen:
    return thing("person", x, foot, 0.03, 0.12)


def zone(kind: str, x1: float, y1: float, x2: float, y2: float, direction: tuple[float, float] | None = None) -> Zone:
    polygon = [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    return Zone.model_validate({"name": kind, "kind": kind, "polygon": polygon, "direction": direction})


ROAD = zone("carriageway", 0.0, 0.4, 1.0, 0.8, (1.0, 0.0))


def play(rule: Rule, zones: Sequence[Zone], scene: Scene, seconds: float) -> list[tuple[float, RuleHit]]:
    """Events with the second at which each was raised."""
    engine, tracker = RuleEngine([rule], zones), Tracker()
    raised = []
    for look in range(int(seconds * FPS) + 1):
        now = look / FPS
        seen = scene(now)
        boxes = np.array([s[1:5] for s in seen], np.float32).reshape(-1, 4)
        found = Detections(boxes, tuple(s[0] for s in seen), np.array([s[5] for s in seen], np.float32))
        at = START + timedelta(seconds=now)
        raised += [(now, hit) for hit in engine.observe(tracker.update(found, at), found, at)]
    return raised


class TestWrongWay:
    def test_against_the_direction_is_found_once(self) -> None:
        hits = play(WrongWay(), [ROAD], lambda t: [thing("motorcycle", 0.95 - 0.08 * t, 0.6)], 10)
        assert [(hit.event_type, hit.zone) for _, hit in hits] == [(EventType.WRONG_WAY, "carriageway")]
        assert hits[0][0] < 4
        assert hits[0][1].parameters["min_distance"] == 0.08

    def test_with_the_direction_is_none(self) -> None:
        assert play(WrongWay(), [ROAD], lambda t: [thing("car", 0.05 + 0.08 * t, 0.6)], 10) == []

    def test_crossing_is_none(self) -> None:
        tall = zone("carriageway", 0.0, 0.05, 1.0, 0.95, (1.0, 0.0))
        assert play(WrongWay(), [tall], lambda t: [thing("car", 0.5 - 0.02 * t, 0.15 + 0.07 * t)], 10) == []

    def test_rolling_back_a_little_is_none(self) -> None:
        assert play(WrongWay(), [ROAD], lambda t: [thing("car", 0.5 - 0.004 * min(t, 8), 0.6)], 12) == []

    def test_a_junction_where_lanes_overlap_has_no_wrong_way(self) -> None:
        other = zone("carriageway", 0.0, 0.4, 1.0, 0.8, (-1.0, 0.0))
        assert play(WrongWay(), [ROAD, other], lambda t: [thing("car", 0.95 - 0.08 * t, 0.6)], 10) == []

    def test_a_track_that_jumps_to_the_vehicle_behind_is_none(self) -> None:
        """Two cars in file with the traffic; the front one leaves and the tracker takes the other for it."""
        scene: Scene = lambda t: [thing("car", 0.55 + 0.01 * t if t < 4 else 0.42 + 0.01 * (t - 4), 0.6)]  # noqa: E731
        assert play(WrongWay(), [ROAD], scene, 12) == []

    def test_an_ambulance_and_a_pedestrian_may(self) -> None:
        scene: Scene = lambda t: [thing("ambulance", 0.95 - 0.08 * t, 0.6), person(0.95 - 0.05 * t, 0.75)]  # noqa: E731
        assert play(WrongWay(), [ROAD], scene, 10) == []


class TestIntrusion:
    YARD = zone("restricted", 0.5, 0.5, 1.0, 1.0)

    def test_a_person_inside_is_found_once(self) -> None:
        hits = play(Intrusion(), [self.YARD], lambda t: [person(0.3 + 0.04 * t, 0.7)], 12)
        assert len(hits) == 1
        assert 5 <= hits[0][0] <= 7.5
        assert hits[0][1].weight is Severity.HIGH

    def test_the_head_over_the_wall_is_outside(self) -> None:
        low = zone("restricted", 0.0, 0.0, 1.0, 0.5)
        assert play(Intrusion(), [low], lambda t: [person(0.2 + 0.02 * t, 0.56)], 10) == []

    def test_a_bag_is_no_intruder(self) -> None:
        assert play(Intrusion(), [self.YARD], lambda t: [thing("bag", 0.7, 0.7)], 10) == []


class TestCrowd:
    SQUARE = zone("crowd_area", 0.0, 0.0, 1.0, 1.0)

    def people(self, count: int) -> list[Seen]:
        return [person(0.06 + 0.09 * (k % 10), 0.3 + 0.25 * (k // 10)) for k in range(count)]

    def test_enough_people_for_long_enough(self) -> None:
        hits = play(Crowd(), [self.SQUARE], lambda t: self.people(10 if t > 3 else 2), 20)
        assert len(hits) == 1
        assert 6 <= hits[0][0] <= 9.5
        assert hits[0][1].count == 10

    def test_too_few_or_too_short_is_none(self) -> None:
        assert play(Crowd(), [self.SQUARE], lambda t: self.people(7), 20) == []
        assert play(Crowd(), [self.SQUARE], lambda t: self.people(12 if 5 < t < 7 else 1), 20) == []

    def test_a_great_crowd_is_graver(self) -> None:
        rule = Crowd(CrowdParameters(min_people=3, min_seconds=2))
        hits = play(rule, [self.SQUARE], lambda t: self.people(20), 10)
        assert hits[0][1].weight is Severity.HIGH


class TestStoppedVehicle:
    def test_a_car_that_stops_is_found_after_its_time(self) -> None:
        hits = play(StoppedVehicle(), [ROAD], lambda t: [thing("car", 0.1 + 0.08 * min(t, 5), 0.6)], 45)
        assert len(hits) == 1
        assert 29.5 <= hits[0][0] <= 32
        assert hits[0][1].start <= START + timedelta(seconds=6)

    def test_moving_cars_are_none(self) -> None:
        assert play(StoppedVehicle(), [ROAD], lambda t: [thing("car", 0.05 + 0.03 * t, 0.6)], 28) == []

    def test_waiting_at_the_light_is_none(self) -> None:
        waiting = zone("waiting", 0.3, 0.4, 0.7, 0.8)
        assert play(StoppedVehicle(), [ROAD, waiting], lambda t: [thing("car", 0.5, 0.6)], 45) == []

    def test_a_queue_is_none(self) -> None:
        queue = [thing("car", 0.15 + 0.15 * k, 0.6) for k in range(5)]
        assert play(StoppedVehicle(), [ROAD], lambda t: queue, 45) == []

    def test_a_truck_hidden_for_a_moment_is_one_event(self) -> None:
        hits = play(StoppedVehicle(), [ROAD], lambda t: [] if 34 < t < 40 else [thing("truck", 0.5, 0.6)], 75)
        assert len(hits) == 1


class TestIllegalParking:
    KERB = zone("no_parking", 0.0, 0.5, 1.0, 0.9)

    def test_standing_too_long(self) -> None:
        rule = IllegalParking(IllegalParkingParameters(min_seconds=15))
        hits = play(rule, [self.KERB], lambda t: [thing("car", 0.4, 0.7)], 60)
        assert [14 <= when <= 17 for when, _ in hits] == [True]

    def test_a_short_stop_or_an_ambulance_is_none(self) -> None:
        assert play(IllegalParking(), [self.KERB], lambda t: [thing("car", 0.4 + 0.01 * max(0, t - 14), 0.7)], 40) == []
        assert play(IllegalParking(), [self.KERB], lambda t: [thing("ambulance", 0.4, 0.7)], 60) == []


class TestFireAndSmoke:
    @pytest.mark.parametrize(("rule", "label"), [(Fire(), "fire"), (Smoke(), "smoke")])
    def test_flickering_but_there_is_confirmed_once(self, rule: Rule, label: str) -> None:
        scene: Scene = lambda t: [thing(label, 0.5 + 0.01 * (t % 1), 0.5, score=0.6)] if t * FPS % 2 else []  # noqa: E731
        hits = play(rule, [], scene, 30)
        assert [hit.event_type for _, hit in hits] == [EventType(label)]
        assert hits[0][0] <= 3
        assert hits[0][1].found.labels == (label,)

    def test_one_look_is_not_enough(self) -> None:
        assert play(Fire(), [], lambda t: [thing("fire", 0.5, 0.5)] if t in (3.0, 20.0) else [], 40) == []

    def test_false_alarms_all_over_the_picture_do_not_add_up(self) -> None:
        places = [0.1, 0.9, 0.5, 0.3, 0.7]
        assert play(Fire(), [], lambda t: [thing("fire", places[int(t * FPS) % 5], 0.5, 0.02, 0.02)], 20) == []


class TestIllegalDumping:
    BANK = zone("dumping", 0.2, 0.4, 0.8, 0.95)

    def dump(self, t: float) -> list[Seen]:
        seen = []
        x = 0.05 + 0.07 * t if t < 8 else 0.61 - 0.08 * (t - 8)
        if x > 0.0:
            seen.append(person(x, 0.7))
        if t >= 7:
            seen.append(thing("rubbish", 0.6, 0.72, 0.05, 0.05))
        return seen

    def test_brought_left_and_lying_is_found_once(self) -> None:
        hits = play(IllegalDumping(), [self.BANK], self.dump, 40)
        assert [hit.zone for _, hit in hits] == ["dumping"]
        assert hits[0][0] >= 12

    def test_rubbish_from_before_is_none(self) -> None:
        def scene(t: float) -> list[Seen]:
            return [thing("rubbish", 0.6, 0.72, 0.05, 0.05), person(0.05 + 0.07 * t, 0.7)]

        assert play(IllegalDumping(), [self.BANK], scene, 30) == []

    def test_old_rubbish_that_flickers_is_none(self) -> None:
        def scene(t: float) -> list[Seen]:
            shown = [] if 9 < t < 15 else [thing("rubbish", 0.6, 0.72, 0.05, 0.05)]
            return [*shown, person(0.05 + 0.05 * t, 0.7)]

        assert play(IllegalDumping(), [self.BANK], scene, 40) == []

    def test_a_bag_beside_its_owner_is_none(self) -> None:
        def scene(t: float) -> list[Seen]:
            return [person(0.5, 0.7), thing("bag", 0.53, 0.7, 0.03, 0.03)] if t > 6 else []

        assert play(IllegalDumping(), [self.BANK], scene, 40) == []

    def test_rubbish_that_nobody_brought_is_none(self) -> None:
        assert play(IllegalDumping(), [self.BANK], lambda t: [thing("rubbish", 0.6, 0.7)] if t > 8 else [], 30) == []

    def test_a_bag_carried_past_leaves_no_place_where_rubbish_would_be_old(self) -> None:
        def scene(t: float) -> list[Seen]:
            carried = [thing("bag", 0.1 + 0.1 * t, 0.7, 0.04, 0.04), person(0.1 + 0.1 * t, 0.7)] if t < 8 else []
            return carried + (self.dump(t - 12) if t > 12 else [])

        assert len(play(IllegalDumping(), [self.BANK], scene, 50)) == 1

    def test_outside_the_zone_is_none(self) -> None:
        away = zone("dumping", 0.0, 0.0, 0.1, 0.1)
        assert play(IllegalDumping(), [away], self.dump, 40) == []

    def test_thrown_from_a_truck_is_found(self) -> None:
        def scene(t: float) -> list[Seen]:
            truck = [thing("truck", 0.1 + 0.07 * min(t, 6) + 0.1 * max(0.0, t - 12), 0.7, 0.2, 0.2)] if t < 18 else []
            return truck + ([thing("rubbish", 0.62, 0.74, 0.06, 0.06)] if t > 9 else [])

        assert len(play(IllegalDumping(), [self.BANK], scene, 40)) == 1


class TestPedestrianOnRoad:
    def test_walking_on_the_road_is_found_once(self) -> None:
        hits = play(PedestrianOnRoad(), [ROAD], lambda t: [person(0.1 + 0.03 * t, 0.6)], 20)
        assert len(hits) == 1

    def test_on_the_crossing_or_the_pavement_is_none(self) -> None:
        crossing = zone("crossing", 0.4, 0.3, 0.6, 0.9)
        assert play(PedestrianOnRoad(), [ROAD, crossing], lambda t: [person(0.5, 0.45 + 0.02 * t)], 15) == []
        assert play(PedestrianOnRoad(), [ROAD], lambda t: [person(0.1 + 0.03 * t, 0.95)], 15) == []

    def test_along_the_kerb_is_none(self) -> None:
        assert play(PedestrianOnRoad(), [ROAD], lambda t: [person(0.1 + 0.03 * t, 0.795)], 15) == []

    def test_a_rider_is_none_even_when_the_motorcycle_is_missed_at_times(self) -> None:
        def scene(t: float) -> list[Seen]:
            x = 0.05 + 0.04 * t
            bike = [] if int(t * FPS) % 4 == 3 else [thing("motorcycle", x, 0.62, 0.06, 0.07)]
            return [thing("person", x, 0.58, 0.03, 0.1), *bike]

        assert play(PedestrianOnRoad(), [ROAD], scene, 20) == []


class TestObjectSeen:
    def test_every_track_once(self) -> None:
        def scene(t: float) -> list[Seen]:
            return [thing("car", 0.1 + 0.07 * t, 0.6), thing("bus", 0.9 - 0.07 * t, 0.3, 0.15)] if t < 11 else []

        hits = play(ObjectSeen(), [ROAD], scene, 20)
        assert sorted((hit.tracks[0].label, hit.zone) for _, hit in hits) == [("bus", None), ("car", "carriageway")]

    def test_a_parked_car_that_flickers_is_seen_once(self) -> None:
        scene: Scene = lambda t: [] if 30 < t < 60 else [thing("car", 0.5, 0.6)]  # noqa: E731
        assert len(play(ObjectSeen(), [], scene, 100)) == 1

    def test_what_comes_nearer_is_reported_when_it_is_past_its_best(self) -> None:
        def scene(t: float) -> list[Seen]:
            size = 0.04 + 0.03 * t if t < 4 else 0.16 - 0.03 * (t - 4)
            return [thing("bicycle", 0.2 + 0.05 * t, 0.5, size, size)] if t < 8 else []

        (found,) = play(ObjectSeen(), [], scene, 12)
        assert 4 < found[0] <= 5
        assert found[1].end == START + timedelta(seconds=found[0])

    def test_a_better_look_is_not_waited_for_without_end(self) -> None:
        growing: Scene = lambda t: [thing("car", 0.5, 0.8, 0.05 + 0.01 * t, 0.05 + 0.01 * t)]  # noqa: E731
        patient = ObjectSeenParameters(better_look_s=3.0, still_s=60.0)
        (found,) = play(ObjectSeen(patient), [], growing, 10)
        assert found[0] == 3.0

    def test_what_goes_out_of_the_picture_is_reported_at_the_border(self) -> None:
        def scene(t: float) -> list[Seen]:
            foot = 0.5 + 0.2 * t
            return [thing("bus", 0.5, min(foot, 1.0), 0.1 + 0.1 * t, 0.1 + 0.05 * t)] if foot < 1.3 else []

        (found,) = play(ObjectSeen(), [], scene, 10)
        assert found[0] == 2.5

    def test_what_is_lost_is_reported_as_it_was_last_seen(self) -> None:
        def scene(t: float) -> list[Seen]:
            return [thing("car", 0.5, 0.6, 0.05 + 0.02 * t, 0.05 + 0.02 * t)] if t < 2 else []

        (found,) = play(ObjectSeen(), [], scene, 10)
        when, hit = found
        assert when == 2.0
        assert hit.end == START + timedelta(seconds=1.75)

    def test_no_more_than_the_rate(self) -> None:
        rule = ObjectSeen(ObjectSeenParameters(per_minute=3))
        many = [thing("person", 0.06 + 0.1 * k, 0.5, 0.04) for k in range(9)]
        assert len(play(rule, [], lambda t: many, 5)) == 3
        assert rule.skipped == 6

    def test_only_what_is_asked_for(self) -> None:
        rule = ObjectSeen(ObjectSeenParameters(labels=("bottle",)))
        hits = play(rule, [], lambda t: [thing("bottle", 0.3, 0.5), thing("car", 0.6, 0.5)], 5)
        assert [hit.tracks[0].label for _, hit in hits] == ["bottle"]


class TestCameraOffline:
    def ask(self, frames: Callable[[float], bool], seconds: int) -> list[int]:
        rule, last, raised = CameraOffline(), None, []
        for second in range(seconds):
            now = START + timedelta(seconds=second)
            last = now if frames(second) else last
            if rule.observe_source(last, now) is not None:
                raised.append(second)
        return raised

    def test_silence_is_one_event(self) -> None:
        assert self.ask(lambda t: t < 30, 300) == [44]

    def test_a_blip_is_none(self) -> None:
        assert self.ask(lambda t: t % 20 > 8, 300) == []

    def test_flapping_is_one_outage_and_a_second_outage_is_a_second_event(self) -> None:
        assert self.ask(lambda t: t < 30 or t % 40 < 10, 300) == [64]
        assert self.ask(lambda t: t < 30 or 60 < t < 120, 300) == [44, 134]

    def test_a_camera_that_never_came_is_offline(self) -> None:
        assert self.ask(lambda t: False, 60) == [15]


class TestEngine:
    def test_a_condition_that_stays_is_reported_again_only_after_the_repeat_time(self) -> None:
        yard = zone("restricted", 0.0, 0.0, 1.0, 1.0)
        engine, tracker = RuleEngine([Intrusion()], [yard], repeat_s=60), Tracker()
        raised = []
        for second in range(150):
            at = START + timedelta(seconds=second)
            found = Detections(np.array([[0.4, 0.4, 0.5, 0.6]], np.float32), ("person",), np.array([0.9], np.float32))
            raised += [second for _ in engine.observe(tracker.update(found, at), found, at)]
        assert raised == [2, 62, 122]

    def test_rules_are_left_out_by_settings(self) -> None:
        settings = RuleSettings.model_validate({"crowd": {"enabled": False}})
        assert {rule.name for rule in make_rules()} - {rule.name for rule in make_rules(settings)} == {"crowd"}

    def test_what_the_detector_does_not_know_is_not_covered(self) -> None:
        types = covered(make_rules(), ["person", "car"])
        assert EventType.FIRE not in types
        assert EventType.ILLEGAL_DUMPING not in types
        assert {EventType.CROWD, EventType.WRONG_WAY, EventType.OBJECT_SEEN} <= set(types)

    def test_a_zone_needs_an_area_and_a_direction_a_length(self) -> None:
        with pytest.raises(ValueError, match="no area"):
            Zone.model_validate({"name": "a", "kind": "water", "polygon": [(0, 0), (1, 1), (0.5, 0.5)]})
        with pytest.raises(ValueError, match="length"):
            zone("carriageway", 0, 0, 1, 1, (0.0, 0.0))
