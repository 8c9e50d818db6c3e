"""What the script expects does happen in the world, and its truth survives the file."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from matpho_contracts.vocabulary import EventType, ObjectClass
from matpho_simcity.drawing.actor import Placed
from matpho_simcity.sites import Site, city
from matpho_simcity.world.incidents import ExpectedEvent, incidents_of, neighbours_of
from matpho_simcity.world.layouts import build_scene
from matpho_simcity.world.scene import Place
from matpho_simcity.world.script import Script, ScriptOptions, read_truth, write_truth

HOUR = 1500.0


@pytest.fixture(scope="module")
def sites() -> list[Site]:
    return city(1)


def _events(sites: list[Site], kind: EventType) -> list[tuple[Site, ExpectedEvent]]:
    return [(site, event) for site in sites for event in site.script.expected(0, HOUR) if event.type is kind]


def _actor(site: Site, name: str, seconds: float) -> Placed:
    return next(placed for placed in site.script.acting(seconds) if placed.id == name)


def _inside(site: Site, zone: str, x: float, y: float) -> bool:
    ring = next(z.ring for z in site.scene.zones if z.name == zone)
    return cv2.pointPolygonTest(ring.astype(np.float32), (x, y), False) >= 0


class TestExpectedEvents:
    def test_every_kind_is_acted(self, sites: list[Site]) -> None:
        kinds = {event.type for site in sites for event in site.script.expected(0, HOUR)}
        assert kinds == {
            EventType.WRONG_WAY, EventType.INTRUSION, EventType.CROWD, EventType.STOPPED_VEHICLE,
            EventType.ILLEGAL_PARKING,
            EventType.FIRE, EventType.SMOKE, EventType.ILLEGAL_DUMPING, EventType.PEDESTRIAN_ON_ROAD,
            EventType.FLOODING,
        }  # fmt: skip

    def test_the_first_comes_early(self, sites: list[Site]) -> None:
        firsts = [site.script.expected(0, HOUR)[0].start for site in sites]
        assert min(firsts) < 8
        assert max(firsts) < 20

    def test_they_recur(self, sites: list[Site]) -> None:
        for site in sites:
            starts = [event.start for event in site.script.expected(0, HOUR)]
            assert max(b - a for a, b in itertools.pairwise(starts)) < 240

    def test_wrong_way_drives_against_the_lane(self, sites: list[Site]) -> None:
        found = _events(sites, EventType.WRONG_WAY)
        assert found
        for site, event in found:
            actor = _actor(site, event.objects[0].actor_id, (event.start + event.end) / 2)
            zone = next(z for z in site.scene.zones if z.name == event.zone)
            assert zone.direction is not None
            way = zone.direction[1] - zone.direction[0]
            assert way[0] * math.sin(actor.heading) + way[1] * math.cos(actor.heading) < 0
            assert actor.speed > 2

    @pytest.mark.parametrize("kind", [EventType.STOPPED_VEHICLE, EventType.ILLEGAL_PARKING])
    def test_vehicle_stands_in_its_zone(self, sites: list[Site], kind: EventType) -> None:
        found = _events(sites, kind)
        assert found
        for site, event in found:
            assert event.end - event.start > 15
            for share in (0.1, 0.5, 0.9):
                actor = _actor(site, event.objects[0].actor_id, event.start + share * (event.end - event.start))
                assert actor.speed == 0
                assert _inside(site, event.zone, actor.x, actor.y)

    def test_intruder_is_inside(self, sites: list[Site]) -> None:
        found = _events(sites, EventType.INTRUSION)
        assert found
        for site, event in found:
            actor = _actor(site, event.objects[0].actor_id, (event.start + event.end) / 2)
            assert _inside(site, "restricted", actor.x, actor.y)

    def test_crowd_is_together(self, sites: list[Site]) -> None:
        found = _events(sites, EventType.CROWD)
        assert found
        for site, event in found:
            names = {taken.actor_id for taken in event.objects}
            people = [placed for placed in site.script.acting((event.start + event.end) / 2) if placed.id in names]
            assert len(people) == len(names) >= 7
            assert all(math.hypot(p.x - event.x, p.y - event.y) < 5 and p.speed == 0 for p in people)

    def test_rubbish_stays_when_the_dumper_has_gone(self, sites: list[Site]) -> None:
        found = _events(sites, EventType.ILLEGAL_DUMPING)
        assert found
        for site, event in found:
            heap, dumper = event.objects
            names = {placed.id for placed in site.script.acting(event.start + 0.2)}
            assert {heap.actor_id, dumper.actor_id} <= names
            assert heap.object_class is ObjectClass.RUBBISH
            later = {placed.id for placed in site.script.acting(event.start + 30)}
            assert dumper.actor_id not in later
            assert heap.actor_id in later

    def test_fire_and_smoke_are_there(self, sites: list[Site]) -> None:
        for kind in (EventType.FIRE, EventType.SMOKE):
            found = _events(sites, kind)
            assert found
            for site, event in found:
                assert _actor(site, event.objects[0].actor_id, event.start + 5).look.object_class.value == kind.value

    def test_pedestrian_walks_in_the_carriageway(self, sites: list[Site]) -> None:
        found = _events(sites, EventType.PEDESTRIAN_ON_ROAD)
        assert found
        for site, event in found:
            actor = _actor(site, event.objects[0].actor_id, (event.start + event.end) / 2)
            assert _inside(site, event.zone, actor.x, actor.y)


class TestScript:
    def test_neighbours_are_no_events(self) -> None:
        for place in Place:
            scene = build_scene(place, "n")
            assert not set(incidents_of(scene)) & set(neighbours_of(scene))

    def test_quiet_day(self) -> None:
        script = Script(build_scene(Place.STREET, "q"), "q", ScriptOptions(incidents=False))
        assert script.expected(0, 1000) == []

    def test_a_day_of_fixed_length_repeats(self) -> None:
        script = Script(build_scene(Place.STREET, "q"), "q", ScriptOptions(duration=300.0))
        first, second = ([(m.id, m.x, m.y) for m in script.at(at)] for at in (50.0, 350.0))
        assert first == second
        day = script.expected(0, 300)
        assert [event.start + 300 for event in day] == [event.start for event in script.expected(300, 600)]
        assert all(event.end <= 300 for event in day)

    def test_truth_survives_the_file(self, sites: list[Site], tmp_path: Path) -> None:
        script, path = sites[0].script, tmp_path / "truth.jsonl"
        assert write_truth(path, script, 0, 600, "cam") == len(script.expected(0, 600)) > 0
        assert read_truth(path) == script.expected(0, 600)

    def test_traffic_gives_way_to_a_breakdown(self, sites: list[Site]) -> None:
        site, event = _events(sites, EventType.STOPPED_VEHICLE)[0]
        closest = 9.0
        for step in range(40):
            clock = event.start + 0.5 * step
            broken = _actor(site, event.objects[0].actor_id, clock)
            for other in site.script.at(clock):
                if other.id != broken.id and not other.id.startswith(("walk", "parked", "neighbour")):
                    closest = min(closest, math.hypot(other.x - broken.x, (other.y - broken.y) * 0.5))
        assert closest > 0.6
