"""Water: a river moves and nothing beside it does; rain floods the road, the truth is written down."""

from __future__ import annotations

import numpy as np
import pytest

from matpho_contracts.vocabulary import EventType
from matpho_simcity.city_video import CityVideo
from matpho_simcity.drawing.atmosphere import Light, Weather, atmosphere
from matpho_simcity.drawing.background import Painter, ground_under, light_up
from matpho_simcity.drawing.geometry import Mount
from matpho_simcity.drawing.renderer import Renderer
from matpho_simcity.sites import Site, city
from matpho_simcity.video import PtzPosition
from matpho_simcity.world.layouts import build_scene
from matpho_simcity.world.scene import Flood, Material, Place, Scene

SIZE = (640, 360)
HOME = PtzPosition()


def renderer(scene: Scene) -> Renderer:
    from random import Random

    camera = Mount(scene.eye[0], scene.eye[1], 6.0, 8.0, 14.0, 60.0).camera(SIZE)
    painted = Painter(camera).paint(scene)
    air = atmosphere(Light.DAY, Weather.CLEAR, Random(1))
    return Renderer(camera, air, painted, light_up(painted, camera, scene, air), scene.lamps)


class TestRiver:
    def test_its_ripples_move_and_nothing_else_does(self) -> None:
        scene = build_scene(Place.RIVER_BANK, "water")
        drawing = renderer(scene)
        first, second = (drawing.draw([], moment)[0][:, :, :3].astype(int) for moment in (3.0, 4.0))
        moved = np.abs(first - second).max(axis=2) > 0
        painted = Painter(drawing.camera).paint(scene)
        river = (painted.ground == Material.WATER) & (painted.cover <= 0)
        assert river.sum() > 1000
        assert moved[river].mean() > 0.5
        assert not moved[~river].any()

    def test_a_street_without_water_stands_still(self) -> None:
        drawing = renderer(build_scene(Place.ALLEY, "dry"))
        assert (drawing.draw([], 3.0)[0] == drawing.draw([], 9.0)[0]).all()


class TestFlood:
    def test_it_grows_as_it_rises_and_lies_on_the_open_ground(self) -> None:
        drawing = renderer(build_scene(Place.JUNCTION, "flood"))
        dry = drawing.draw([])[0].astype(int)
        wet = []
        for risen in (0.1, 0.5, 1.0):
            flood = Flood(drawing.camera.x, drawing.camera.y + 16.0, 5.0, 8.0, risen)
            changed = np.abs(drawing.draw([], floods=[flood])[0].astype(int) - dry).max(axis=2) > 3
            assert not changed[drawing.cover > 0].any()
            wet.append(int(changed.sum()))
        assert 100 < wet[0] < wet[1] < wet[2]

    def test_behind_the_lens_it_is_not_seen(self) -> None:
        drawing = renderer(build_scene(Place.JUNCTION, "flood"))
        behind = Flood(drawing.camera.x, drawing.camera.y - 30.0, 5.0, 8.0, 1.0)
        assert (drawing.draw([], floods=[behind])[0] == drawing.draw([])[0]).all()


@pytest.fixture(scope="module")
def flooded() -> tuple[Site, float, float]:
    """A rainy site of some city, with the start and end of its first flood."""
    for seed in range(1, 30):
        for site in city(seed):
            floods = [event for event in site.script.expected(0.0, 200.0) if event.type is EventType.FLOODING]
            if floods:
                return site, floods[0].start, floods[0].end
    raise AssertionError("it never rains in these cities")


class TestScript:
    def test_a_flood_is_written_down_and_lies_there_meanwhile(self, flooded: tuple[Site, float, float]) -> None:
        site, start, end = flooded
        assert site.air.weather is Weather.RAIN
        risen = [flood.risen for moment in (start, (start + end) / 2) for flood in site.script.floods(moment)]
        assert len(risen) == 2
        assert 0.4 < risen[0] < risen[1] <= 1.0
        video = CityVideo(site)
        assert video.frame((start + end) / 2, HOME).shape == (360, 640, 3)

    def test_without_rain_there_is_none(self) -> None:
        dry = [site for site in city(3) if site.air.weather is Weather.CLEAR]
        assert dry
        for site in dry:
            assert all(event.type is not EventType.FLOODING for event in site.script.expected(0.0, 600.0))
            assert site.script.floods(40.0) == []


def test_the_ground_under_a_pixel_is_where_it_projects_from() -> None:
    camera = Mount(2.0, -3.0, 6.0, 8.0, 14.0, 60.0).camera(SIZE)
    rows, columns = slice(200, 360), slice(0, 640)
    x, y = ground_under(camera, rows, columns)
    points = np.stack([x[50, ::80], y[50, ::80], np.zeros(8)], axis=1)
    seen, _ = camera.project(points)
    assert seen[:, 0] == pytest.approx(np.arange(0, 640, 80) + 0.5, abs=0.1)
    assert seen[:, 1] == pytest.approx(250.5, abs=0.1)
