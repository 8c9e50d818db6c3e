"""Ambient traffic keeps to its lanes, stops at red lights and is the same for the same seed."""

from __future__ import annotations

import itertools
import math

import pytest

from matpho_contracts.vocabulary import VEHICLES
from matpho_simcity.world.layouts import build_scene
from matpho_simcity.world.scene import Place
from matpho_simcity.world.traffic import CYCLE, Traffic, bulbs, is_green


@pytest.fixture(scope="module")
def junction() -> Traffic:
    return Traffic(build_scene(Place.JUNCTION, "t"), "seed")


class TestTraffic:
    def test_same_seed_same_moment(self) -> None:
        scene = build_scene(Place.STREET, "t")
        first, second = (Traffic(scene, "7").at(95.0) for _ in range(2))
        assert [(m.id, m.x, m.y, m.look.colour) for m in first] == [(m.id, m.x, m.y, m.look.colour) for m in second]
        assert first

    def test_other_seed_other_day(self) -> None:
        scene = build_scene(Place.STREET, "t")
        assert [m.y for m in Traffic(scene, "7").at(95.0)] != [m.y for m in Traffic(scene, "8").at(95.0)]

    def test_any_moment_can_be_asked_for_first(self) -> None:
        scene = build_scene(Place.STREET, "t")
        played, jumped = Traffic(scene, "7"), Traffic(scene, "7")
        for second in range(0, 400, 20):
            played.at(float(second))
        assert [(m.id, m.x, m.y) for m in played.at(400.0)] == [(m.id, m.x, m.y) for m in jumped.at(400.0)]

    def test_drives_on_the_right(self) -> None:
        traffic = Traffic(build_scene(Place.STREET, "t"), "3")
        drivers = [m for t in range(20, 100, 7) for m in traffic.at(float(t)) if m.look.object_class in VEHICLES]
        assert len(drivers) > 20
        for mover in drivers:
            assert (mover.x > 0) == (math.cos(mover.heading) > 0)

    def test_nobody_passes_the_stop_line_on_red(self, junction: Traffic) -> None:
        lanes = {lane.name: lane for lane in build_scene(Place.JUNCTION, "t").lanes if lane.signal == "main"}
        waited = 0
        for tick in range(480):
            clock = tick * 0.25
            if is_green("main", clock) or clock % CYCLE < 17 + 4.0:
                continue
            now, later = ({m.id: m for m in junction.at(at)} for at in (clock, clock + 0.25))
            for name, mover in now.items():
                lane = lanes.get(name.split("-")[0])
                if lane is None or name not in later:
                    continue
                before, after = (abs(m.y - lane.path[0][1]) for m in (mover, later[name]))
                assert not (before < lane.stop - 1 and after > lane.stop + 0.5), name
                waited += mover.speed < 0.1 and before < lane.stop
        assert waited > 0

    def test_queue_keeps_its_distance(self, junction: Traffic) -> None:
        for second in range(20, 160, 3):
            queue = [
                m
                for m in junction.at(float(second))
                if m.id.startswith("up0") and m.look.mesh and m.look.mesh.extent[0] > 1.2
            ]
            places = sorted((m.y, m.look.mesh.extent[1] if m.look.mesh else 0.0) for m in queue)
            for (y0, length0), (y1, length1) in itertools.pairwise(places):
                assert y1 - y0 > (length0 + length1) / 2 - 0.5

    def test_lights_never_show_green_to_both(self) -> None:
        assert not any(is_green("main", t * 0.5) and is_green("cross", t * 0.5) for t in range(200))

    def test_every_signal_burns(self) -> None:
        scene = build_scene(Place.JUNCTION, "t")
        assert len(bulbs(scene, 3.0)) == len(scene.signals) == 4
