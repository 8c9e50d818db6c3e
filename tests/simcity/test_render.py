"""Pictures agree with their truth: boxes lie on the drawn pixels, the lens turns rightly, colours are as named."""

from __future__ import annotations

import colorsys
from random import Random

import cv2
import numpy as np
import pytest

from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_simcity.city_video import CityVideo
from matpho_simcity.drawing.actor import Placed, make_look, plate_number
from matpho_simcity.drawing.atmosphere import Light, Weather, atmosphere
from matpho_simcity.drawing.background import Painted, Painter, light_up
from matpho_simcity.drawing.geometry import Camera, Mount
from matpho_simcity.drawing.palette import shade
from matpho_simcity.drawing.renderer import Renderer
from matpho_simcity.sites import Site, city
from matpho_simcity.video import PtzPosition, VideoSource
from matpho_simcity.world.layouts import build_scene
from matpho_simcity.world.scene import Place, Scene

SIZE = (640, 360)


def _stage(light: Light = Light.DAY) -> tuple[Scene, Camera, Painted, Renderer]:
    scene = build_scene(Place.STREET, "render")
    camera = Mount(scene.eye[0], scene.eye[1], 6.0, 0.0, 15.0, 60.0).camera(SIZE)
    painted = Painter(camera).paint(scene)
    air = atmosphere(light, Weather.CLEAR, Random(1))
    return scene, camera, painted, Renderer(camera, air, painted, light_up(painted, camera, scene, air), scene.lamps)


@pytest.fixture(scope="module")
def stage() -> tuple[Scene, Camera, Painted, Renderer]:
    return _stage()


@pytest.fixture(scope="module")
def moving() -> Site:
    return next(site for site in city(1) if site.guide.place == "junction")


class TestBoxes:
    @pytest.mark.parametrize("object_class", list(ObjectClass))
    def test_box_lies_on_the_changed_pixels(
        self, stage: tuple[Scene, Camera, Painted, Renderer], object_class: ObjectClass
    ) -> None:
        scene, _, _, renderer = stage
        mover = Placed(
            "one",
            make_look(object_class, Random(4)),
            scene.eye[0] - 2.0,
            14.0,
            0.6,
            speed=2.0,
            size=(2.0, 3.0),
            since=9.0,
        )
        empty, _ = renderer.render([])
        image, sightings = renderer.render([mover], 3.0)
        assert len(sightings) == 1
        x0, y0, x1, y1 = sightings[0].box
        changed = np.abs(image[:, :, :3].astype(int) - empty[:, :, :3]).max(axis=2) > (
            10 if object_class is ObjectClass.SMOKE else 30
        )
        inside = changed[y0:y1, x0:x1]
        assert inside.mean() > 0.25
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        assert rows[0] <= 4
        assert len(inside) - rows[-1] <= 5
        assert columns[0] <= 4
        assert inside.shape[1] - columns[-1] <= 5

    def test_nearer_things_hide_farther_ones(self, stage: tuple[Scene, Camera, Painted, Renderer]) -> None:
        scene, _, _, renderer = stage
        person = Placed("p", make_look(ObjectClass.PERSON, Random(1), child=True), scene.eye[0] - 3, 20.0)
        bus = Placed("b", make_look(ObjectClass.BUS, Random(1)), scene.eye[0] - 2.4, 12.0)
        alone = {s.placed.id: s for s in renderer.render([person])[1]}
        both = {s.placed.id: s for s in renderer.render([person, bus])[1]}
        assert alone["p"].visible > 0.95
        assert "p" not in both or both["p"].ignore

    def test_far_things_are_marked(self, stage: tuple[Scene, Camera, Painted, Renderer]) -> None:
        scene, _, _, renderer = stage
        bag = Placed("bag", make_look(ObjectClass.BAG, Random(1)), scene.eye[0] - 3, 60.0)
        assert all(sighting.ignore for sighting in renderer.render([bag])[1])

    def test_truth_names_what_is_seen(self, moving: Site) -> None:
        image, boxes = CityVideo(moving).frame_with_truth(40.0, PtzPosition())
        assert image.shape == (360, 640, 3)
        assert len(boxes) > 5
        for box in boxes:
            x0, y0, x1, y1 = box.box
            assert 0 <= x0 < x1 <= 640
            assert 0 <= y0 < y1 <= 360
            assert box.object_class in {c.value for c in ObjectClass}


class TestLens:
    def _shift(self, site: Site, position: PtzPosition) -> tuple[float, float]:
        """How far the picture moved (right, down) against home, in pixels."""
        video = CityVideo(site)
        home, turned = (cv2.cvtColor(video.frame(0.0, p), cv2.COLOR_BGR2GRAY) for p in (PtzPosition(), position))
        patch = home[120:240, 240:400]
        scores = cv2.matchTemplate(turned, patch, cv2.TM_CCOEFF_NORMED)
        _, score, _, (x, y) = cv2.minMaxLoc(scores)
        assert score > 0.4
        return x - 240, y - 120

    def test_pan_right_moves_the_scene_left(self, moving: Site) -> None:
        right, down = self._shift(moving, PtzPosition(pan=4.0 / moving.mount.pan_range))
        assert -70 < right < -20
        assert abs(down) < 12

    def test_tilt_up_moves_the_scene_down(self, moving: Site) -> None:
        _, down = self._shift(moving, PtzPosition(tilt=4.0 / moving.mount.tilt_range))
        assert 20 < down < 70

    def test_zoom_enlarges(self, moving: Site) -> None:
        video = CityVideo(moving)
        near = {b.id: b for b in video.frame_with_truth(40.0, PtzPosition(zoom=0.2))[1]}
        far = {b.id: b for b in video.frame_with_truth(40.0, PtzPosition())[1]}
        shared = [name for name in near.keys() & far.keys() if near[name].visible > 0.9 and far[name].visible > 0.9]
        assert any((near[n].box[3] - near[n].box[1]) > 1.5 * (far[n].box[3] - far[n].box[1]) for n in shared)

    def test_fixed_camera_stays(self) -> None:
        fixed = next(site for site in city(1) if not site.has_ptz)
        video = CityVideo(fixed, size=(320, 180))
        assert np.array_equal(video.frame(2.0, PtzPosition()), video.frame(2.0, PtzPosition(pan=0.5)))

    def test_same_moment_same_picture(self, moving: Site) -> None:
        first, second = (CityVideo(site, size=(320, 180)).frame(31.0, PtzPosition()) for site in (moving, moving))
        assert np.array_equal(first, second)

    def test_it_is_a_video_source(self, moving: Site) -> None:
        source: VideoSource = CityVideo(moving, size=(320, 180), frames_per_second=10)
        assert (source.size, source.frames_per_second, source.has_ptz) == ((320, 180), 10, True)


class TestLooks:
    @pytest.mark.parametrize("colour", list(Colour))
    def test_shades_stay_in_their_family(self, colour: Colour) -> None:
        for seed in range(20):
            blue, green, red = shade(colour, Random(seed))
            hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
            if colour in (Colour.WHITE, Colour.GREY, Colour.BLACK):
                assert saturation < 0.15
                assert (value > 0.85, value < 0.2) == (colour is Colour.WHITE, colour is Colour.BLACK)
            else:
                assert saturation > 0.45
                red_side = hue < 0.02 or hue > 0.97
                assert red_side == (colour is Colour.RED)

    def test_car_is_painted_in_its_colour(self, stage: tuple[Scene, Camera, Painted, Renderer]) -> None:
        scene, _, _, renderer = stage
        for colour, channel in ((Colour.RED, 2), (Colour.GREEN, 1), (Colour.BLUE, 0)):
            look = make_look(ObjectClass.CAR, Random(2), colour=colour)
            image, drawn = renderer.draw([Placed("c", look, scene.eye[0] - 2, 12.0, 0.4)])
            mean = image[image[:, :, 3] == drawn[0].number][:, :3].mean(axis=0)
            assert int(mean.argmax()) == channel

    def test_plates_have_the_national_form(self) -> None:
        rng = Random(1)
        for _ in range(30):
            car, motorcycle = plate_number(ObjectClass.CAR, rng), plate_number(ObjectClass.MOTORCYCLE, rng)
            assert car[:2].isdigit()
            assert car[2].isalpha()
            assert (car[3], car[7]) == ("-", ".")
            assert motorcycle[2] == "-"
            assert " " in motorcycle
        assert plate_number(ObjectClass.PERSON, rng) == ""

    def test_night_is_darker_than_day(self) -> None:
        day, night = (_stage(light)[3].render([])[0][:, :, :3].mean() for light in (Light.DAY, Light.NIGHT))
        assert night < day * 0.75
