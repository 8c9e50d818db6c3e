"""Colours by name: painted cars in every light, people, and the simulated city by day and by night."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matpho_contracts.geometry import Box
from matpho_contracts.vocabulary import Colour
from matpho_edge.colours import SIDE, Look, choose, colour_votes, name_colour, plain_light, plausible, surroundings
from matpho_edge.colours_light import DAYLIGHT, Light, SceneLight
from matpho_simcity.city_video import CityVideo
from matpho_simcity.sites import city
from matpho_simcity.video import PtzPosition

Picture = NDArray[np.uint8]
View = tuple[Picture, str, Light, Colour]
COLOURLESS = ("fire", "smoke", "rubbish")
TWO_WHEELERS = ("motorcycle", "bicycle")
PAINT: dict[Colour, tuple[int, int, int]] = {
    Colour.RED: (40, 30, 190),
    Colour.ORANGE: (30, 120, 235),
    Colour.YELLOW: (40, 210, 235),
    Colour.GREEN: (60, 140, 50),
    Colour.BLUE: (190, 90, 40),
    Colour.PURPLE: (150, 50, 120),
    Colour.WHITE: (235, 236, 238),
    Colour.GREY: (128, 130, 132),
    Colour.BLACK: (25, 24, 26),
    Colour.BROWN: (35, 60, 105),
}
CAR = Box(x1=500 / 1280, y1=300 / 720, x2=660 / 1280, y2=400 / 720)


def street(colour: Colour, gains: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Picture:
    """A car from the side on asphalt under a white sky, in light of (blue, green, red) `gains`."""
    picture = np.full((720, 1280, 3), 105.0)
    picture[:60] = (228, 230, 232)
    car = picture[300:400, 500:660].astype(np.uint8)
    cv2.rectangle(car, (8, 35), (152, 82), PAINT[colour], -1)
    cv2.rectangle(car, (40, 8), (120, 38), PAINT[colour], -1)
    cv2.rectangle(car, (46, 14), (114, 36), (60, 50, 45), -1)
    for x in (40, 120):
        cv2.circle(car, (x, 84), 13, (20, 20, 20), -1)
    picture[300:400, 500:660] = car
    picture += np.random.default_rng(0).normal(0, 5, picture.shape)
    return np.clip(picture * gains, 0, 255).astype(np.uint8)


def scene_light(picture: Picture) -> SceneLight:
    return SceneLight(picture, np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8))


def seen(picture: Picture) -> Colour | None:
    return name_colour(picture[300:400, 500:660], "car", scene_light(picture).around(CAR))


def city_views(seed: int, hour: float, looks: int = 1) -> Iterator[View]:
    """Crops of what twelve cameras see, in the light around each, with the true colour."""
    for number, site in enumerate(city(seed, hour=hour)):
        video = CityVideo(site)
        start = Random(f"{seed}:{hour}:{number}").uniform(5, 600)
        for look in range(looks):
            picture, truth = video.frame_with_truth(start + 0.4 * look, PtzPosition())
            light, (height, width) = scene_light(picture), picture.shape[:2]
            for each in truth:
                x0, y0, x1, y1 = each.box
                if each.ignore or each.object_class in COLOURLESS or min(x1 - x0, y1 - y0) < 8:
                    continue
                box = Box(x1=x0 / width, y1=y0 / height, x2=x1 / width, y2=y1 / height)
                yield picture[y0:y1, x0:x1], each.object_class, light.around(box), Colour(each.colour)


def right(views: list[View]) -> float:
    """Share of the views whose colour is named right at one look."""
    return sum(name_colour(crop, label, light) is colour for crop, label, light, colour in views) / len(views)


class TestPaint:
    @pytest.mark.parametrize("colour", list(Colour))
    @pytest.mark.parametrize("gains", [(1.0, 1.0, 1.0), (0.55, 0.55, 0.55), (0.62, 0.63, 0.74), (0.7, 0.8, 0.9)])
    def test_every_colour_of_a_car_at_day_dusk_and_under_lamps(
        self, colour: Colour, gains: tuple[float, float, float]
    ) -> None:
        assert seen(street(colour, gains)) is colour

    def test_white_at_dusk_is_white_beside_what_else_is_white(self) -> None:
        dusk = street(Colour.WHITE, (0.45, 0.45, 0.45))
        assert seen(dusk) is Colour.WHITE
        assert name_colour(dusk[300:400, 500:660], "car", DAYLIGHT) is not Colour.WHITE

    def test_a_person_is_the_colour_of_the_clothes_above_the_waist(self) -> None:
        person = np.full((90, 34, 3), 110, np.uint8)
        cv2.circle(person, (17, 9), 7, (120, 150, 200), -1)
        cv2.rectangle(person, (7, 17), (27, 52), (40, 30, 200), -1)
        cv2.rectangle(person, (9, 52), (25, 88), (140, 60, 30), -1)
        assert name_colour(person, "person") is Colour.RED

    def test_a_crop_of_a_few_pixels_has_no_colour(self) -> None:
        assert colour_votes([Look(np.zeros((4, 40, 3), np.uint8), "car")]) == [{}]
        assert choose({}) is None
        assert plausible({}) == {}

    def test_votes_are_chances_and_add_up_over_looks(self) -> None:
        (votes,) = colour_votes([Look(street(Colour.BLUE)[300:400, 500:660], "car")])
        assert sum(votes.values()) == pytest.approx(1.0, abs=1e-5)
        assert choose({colour: 3 * chance for colour, chance in votes.items()}) is Colour.BLUE

    def test_looks_together_say_what_each_says_alone(self) -> None:
        looks = [Look(street(colour)[300:400, 500:660], "car") for colour in PAINT]
        looks.insert(3, Look(np.zeros((3, 3, 3), np.uint8), "car"))
        together = colour_votes(looks)
        for look, votes in zip(looks, together, strict=True):
            (alone,) = colour_votes([look])
            assert votes.keys() == alone.keys()
            assert list(votes.values()) == pytest.approx(list(alone.values()), abs=1e-4)

    def test_a_thing_of_a_class_that_nobody_knows_has_a_colour_too(self) -> None:
        assert name_colour(street(Colour.RED)[300:400, 500:660], "tuk-tuk") is Colour.RED

    def test_what_is_plausible_is_ranked_and_the_rest_is_left_out(self) -> None:
        votes = {Colour.RED: 1.0, Colour.BLUE: 6.0, Colour.GREEN: 0.1, Colour.GREY: 2.9}
        assert plausible(votes) == {Colour.BLUE: 0.6, Colour.GREY: 0.29, Colour.RED: 0.1}


class TestLight:
    def test_a_lamps_pool_tints_only_what_stands_in_it(self) -> None:
        picture = np.full((360, 640, 3), 100, np.uint8)
        picture[:, 320:] = (80, 100, 120)
        light = scene_light(picture)
        lit = light.around(Box(x1=0.8, y1=0.4, x2=0.85, y2=0.6)).tint
        plain = light.around(Box(x1=0.1, y1=0.4, x2=0.15, y2=0.6)).tint
        assert lit[0] / lit[2] > 1.1 * plain[0] / plain[2]

    @pytest.mark.parametrize("level", [0, 255])
    def test_a_black_or_a_blown_picture_still_has_a_light(self, level: int) -> None:
        light = scene_light(np.full((90, 160, 3), level, np.uint8)).around(Box(x1=0, y1=0, x2=1, y2=1))
        assert np.isfinite([light.white, light.middle, *light.tint]).all()
        assert plain_light(np.full((20, 20, 3), level, np.uint8), light).shape == (SIDE, SIDE, 3)
        assert np.isfinite(surroundings(light))


class TestCity:
    """Seeds that no weight was learnt from. Boxes are the true ones; a look is a single one."""

    @pytest.mark.parametrize(
        ("hour", "least", "of_large", "of_bodies"), [(10.0, 0.74, 0.8, 0.8), (22.0, 0.74, 0.8, 0.8)]
    )
    def test_most_colours_are_right(self, hour: float, least: float, of_large: float, of_bodies: float) -> None:
        views = [*city_views(31, hour), *city_views(32, hour)]
        assert len(views) > 100
        assert right(views) >= least
        assert right([view for view in views if min(view[0].shape[:2]) >= 24]) >= of_large
        assert right([view for view in views if view[1] not in ("person", *TWO_WHEELERS)]) >= of_bodies
