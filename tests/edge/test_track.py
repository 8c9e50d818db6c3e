"""The tracker on scripted boxes: few pictures a second, missed looks, crossing ways, changing names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from matpho_edge.detections import Detections
from matpho_edge.track import Track, Tracker, TrackerParameters

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
Seen = tuple[str, float, float, float, float, float]
"""label, x1, y1, x2, y2, score"""


def detections(seen: Sequence[Seen]) -> Detections:
    boxes = np.array([s[1:5] for s in seen], np.float32).reshape(-1, 4)
    return Detections(boxes, tuple(s[0] for s in seen), np.array([s[5] for s in seen], np.float32))


def car(x: float, y: float = 0.5, score: float = 0.8, label: str = "car") -> Seen:
    return (label, x, y, x + 0.12, y + 0.1, score)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def follow(tracker: Tracker, looks: Sequence[Sequence[Seen]], fps: float = 5.0) -> list[list[Track]]:
    return [tracker.update(detections(seen), at(number / fps)) for number, seen in enumerate(looks)]


class TestIds:
    def test_one_car_keeps_one_id(self) -> None:
        out = follow(Tracker(), [[car(0.02 + 0.03 * k)] for k in range(25)])
        assert {track.id for tracks in out for track in tracks} == {1}
        assert out[-1][0].hits == 25

    def test_a_fast_car_at_three_pictures_a_second_keeps_its_id(self) -> None:
        out = follow(Tracker(), [[car(0.01 + 0.13 * k)] for k in range(7)], fps=3.0)
        assert {track.id for tracks in out for track in tracks} == {1}

    def test_missed_looks_do_not_split_a_track(self) -> None:
        looks = [[] if k % 4 == 3 else [car(0.02 + 0.03 * k)] for k in range(25)]
        out = follow(Tracker(), looks)
        assert {track.id for tracks in out for track in tracks} == {1}

    def test_two_cars_that_pass_each_other_keep_their_ids(self) -> None:
        looks = [[car(0.02 + 0.03 * k, 0.50), car(0.85 - 0.03 * k, 0.57)] for k in range(26)]
        final = follow(Tracker(), looks)[-1]
        by_row = {round(float(track.box[1]), 2): track.id for track in final}
        assert by_row == {0.5: 1, 0.57: 2}

    def test_what_is_seen_once_is_no_track(self) -> None:
        out = follow(Tracker(), [[car(0.3)], [], [], [], []])
        assert all(tracks == [] for tracks in out)

    def test_weak_detections_continue_a_track_and_start_none(self) -> None:
        tracker = Tracker()
        assert follow(tracker, [[car(0.3, score=0.2)]] * 5)[-1] == []
        tracker = Tracker()
        out = follow(tracker, [[car(0.3)], [car(0.3)], [car(0.31, score=0.2)], [car(0.32, score=0.2)]])
        assert out[-1][0].hits == 4

    def test_a_person_is_never_matched_to_a_car(self) -> None:
        tracker = Tracker(TrackerParameters(min_hits=1))
        follow(tracker, [[car(0.3)]])
        tracks = tracker.update(detections([("person", 0.3, 0.5, 0.42, 0.6, 0.9)]), at(0.2))
        assert {(track.id, track.label, track.missed) for track in tracks} == {(1, "car", 1), (2, "person", 0)}


class TestEnd:
    def test_a_track_ends_once_and_says_so(self) -> None:
        out = follow(Tracker(), [[car(0.02 + 0.03 * k)] for k in range(10)] + [[]] * 20)
        ended = [track for tracks in out for track in tracks if track.ended]
        assert ended.count(ended[0]) >= 1
        assert out[-1] == []

    def test_a_parked_car_is_waited_for_longer(self) -> None:
        looks = [[car(0.3)]] * 30 + [[]] * 40 + [[car(0.3)]] * 3
        out = follow(Tracker(), looks)
        assert [track.id for track in out[-1]] == [1]
        assert out[-1][0].still_for(at(72 / 5)) > 10

    def test_a_long_gap_between_looks_is_no_end(self) -> None:
        tracker = Tracker()
        follow(tracker, [[car(0.3)], [car(0.3)]])
        tracks = tracker.update(detections([car(0.3)]), at(60))
        assert [track.id for track in tracks] == [1]

    def test_a_look_from_the_past_changes_nothing(self) -> None:
        tracker = Tracker()
        follow(tracker, [[car(0.3)]] * 5)
        before = tracker.tracks[0].hits
        tracker.update(detections([car(0.8)]), at(0.1))
        assert tracker.tracks[0].hits == before


class TestKnowledge:
    def test_the_class_is_what_most_looks_say(self) -> None:
        names = ["car", "truck", "truck", "car", "truck", "truck", "truck"]
        out = follow(Tracker(), [[car(0.1 + 0.02 * k, label=name)] for k, name in enumerate(names)])
        assert out[-1][0].label == "truck"
        assert out[-1][0].id == 1

    def test_a_person_far_away_who_turns_out_a_cyclist_is_one_thing(self) -> None:
        def rider(number: int, label: str) -> Seen:
            size = 0.05 + 0.01 * number
            return (label, 0.3, 0.4, 0.3 + size, 0.4 + 2 * size, 0.7)

        looks = [[rider(k, "person" if k < 3 else "bicycle")] for k in range(9)]
        out = follow(Tracker(), looks)
        assert {track.id for tracks in out for track in tracks} == {1}
        assert out[-1][0].label == "bicycle"
        assert out[-1][0].likely_labels == {"bicycle": 0.67, "person": 0.33}

    def test_somebody_who_walks_up_to_a_parked_motorcycle_stays_somebody(self) -> None:
        bike: Seen = ("motorcycle", 0.5, 0.5, 0.58, 0.6, 0.8)
        looks = [[bike, ("person", 0.1 + 0.04 * k, 0.42, 0.14 + 0.04 * k, 0.6, 0.8)] for k in range(12)]
        final = follow(Tracker(), looks)[-1]
        assert sorted((track.label, track.likely_labels) for track in final) == [("motorcycle", None), ("person", None)]

    def test_feet_carry_time_and_place(self) -> None:
        track = follow(Tracker(), [[car(0.02 + 0.03 * k)] for k in range(11)])[-1][0]
        dx, dy, seconds = track.moved(1.0)
        assert dx == pytest.approx(0.15, abs=1e-3)
        assert dy == pytest.approx(0.0, abs=1e-3)
        assert seconds == pytest.approx(1.0)

    def test_standing_still_survives_jitter_and_ends_with_a_creep(self) -> None:
        rng = np.random.default_rng(0)
        tracker = Tracker()
        follow(tracker, [[car(0.3 + float(rng.normal(0, 0.002)))] for _ in range(50)])
        assert tracker.tracks[0].still_for(at(49 / 5)) > 9
        creeping = Tracker()
        follow(creeping, [[car(0.3 + 0.004 * k)] for k in range(50)])
        assert creeping.tracks[0].still_for(at(49 / 5)) < 2

    def test_a_crowd_of_fifty_is_followed(self) -> None:
        rng = np.random.default_rng(1)
        places = [(x / 11 + 0.03, y / 7 + 0.03) for x in range(10) for y in range(5)]
        looks = []
        for k in range(20):
            order = rng.permutation(len(places))
            looks.append(
                [
                    (
                        "person",
                        places[i][0] + 0.001 * k,
                        places[i][1],
                        places[i][0] + 0.02 + 0.001 * k,
                        places[i][1] + 0.08,
                        0.7,
                    )
                    for i in order
                ]
            )
        out = follow(Tracker(), looks)
        assert {track.id for track in out[-1]} == set(range(1, 51))
