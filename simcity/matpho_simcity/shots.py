"""Independent random pictures of random cameras, several to a camera because its background is the dear part."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

from matpho_contracts.vocabulary import ObjectClass
from matpho_simcity.drawing.atmosphere import Light, Weather, atmosphere
from matpho_simcity.drawing.background import Painter, light_up
from matpho_simcity.drawing.geometry import Mount, Picture
from matpho_simcity.drawing.renderer import Renderer, Sighting
from matpho_simcity.drawing.sensor import Sensor
from matpho_simcity.placing import TRAFFIC, Scatter, Wardrobe
from matpho_simcity.world.layouts import build_scene
from matpho_simcity.world.scene import Place, Scene
from matpho_simcity.world.traffic import bulbs

PICTURES_PER_CAMERA = 8
PICTURES_PER_LIGHT = 4
_PLACES = tuple(Place)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture and what is in it; `image` (H, W, 3) BGR."""

    image: Picture
    sightings: list[Sighting]
    scene: Scene
    light: Light
    weather: Weather


def _mount(scene: Scene, split: str, rng: Random) -> Mount:
    """A camera near where one would hang. Training and validation draw heights and views from different bands."""
    heights, views = ((4.2, 6.2), (7.0, 9.5)), ((36.0, 52.0), (58.0, 76.0))
    if split != "train":
        heights, views = ((6.2, 7.0), (3.6, 4.2)), ((52.0, 58.0), (32.0, 36.0))
    height, view = rng.uniform(*rng.choice(heights)), rng.uniform(*rng.choice(views))
    x, y = scene.eye[0] + rng.uniform(-2.2, 0.8), scene.eye[1] + rng.uniform(-4, 6)
    if scene.place is Place.ALLEY:
        x = scene.eye[0] * rng.uniform(-1, 1)
    elif rng.random() < 0.35:
        x = -scene.eye[0] + rng.uniform(-0.6, 3.0)
    gaze_x, gaze_y = scene.gaze[0] + rng.uniform(-3, 4), max(y + 7, scene.gaze[1] + rng.uniform(-9, 10))
    heading = math.degrees(math.atan2(gaze_x - x, gaze_y - y))
    tilt = math.degrees(math.atan2(height, math.hypot(gaze_x - x, gaze_y - y))) + rng.uniform(-3, 3)
    return Mount(x, y, height, heading, tilt, view)


def shots(
    split: str,
    seed: str,
    number: int,
    size: tuple[int, int],
    count: int = PICTURES_PER_CAMERA,
    traffic: Mapping[ObjectClass, float] = TRAFFIC,
) -> Iterator[Shot]:
    """`count` independent pictures of random camera `number` of `split` ("train" or "val"), always the same ones.

    Splits share no scene: layouts, looks of movers, camera heights and views come from seeds and ranges of their own.
    """
    rng = Random(f"{split}:{seed}:{number}")
    place = _PLACES[number % len(_PLACES)]
    scene = build_scene(place, f"{split}:{seed}:{number}")
    camera = _mount(scene, split, rng).camera(size)
    painted = Painter(camera).paint(scene)
    for start in range(0, count, PICTURES_PER_LIGHT):
        light, weather = rng.choices(list(Light), (5, 2, 3))[0], rng.choices(list(Weather), (6, 3, 1.5))[0]
        air = atmosphere(light, weather, rng)
        renderer = Renderer(camera, air, painted, light_up(painted, camera, scene, air), scene.lamps)
        wardrobe = Wardrobe(rng, wet=weather is Weather.RAIN)
        sensor = Sensor(size, air, rng.randint(0, 1 << 30))
        for tick in range(start, min(start + PICTURES_PER_LIGHT, count)):
            movers = Scatter(scene, camera, wardrobe, rng, f"{number}-{tick}-", traffic).everything()
            clock = rng.uniform(0, 60)
            image, sightings = renderer.render(movers, clock, bulbs(scene, clock))
            yield Shot(sensor.expose(image, tick), sightings, scene, light, weather)
