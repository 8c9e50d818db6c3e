"""Light and weather: how bright, from where, how hazy, and how noisy the sensor is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

import numpy as np

from matpho_simcity.drawing.geometry import Floats

LAMP_REACH = 9.0
"""Metres over which the pool of light under a street lamp fades."""


class Light(StrEnum):
    """Time of day as the picture shows it."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


class Weather(StrEnum):
    """What the air is like."""

    CLEAR = "clear"
    RAIN = "rain"
    HAZE = "haze"


@dataclass(frozen=True, slots=True)
class Atmosphere:
    """Gains are (blue, green, red) factors on the painted colours; `sun` is a unit vector towards the light."""

    light: Light
    weather: Weather
    ambient: tuple[float, float, float]
    lamp: tuple[float, float, float]
    sun: tuple[float, float, float]
    contrast: float
    sky: tuple[tuple[float, float, float], tuple[float, float, float]]
    haze: tuple[float, float, float]
    density: float
    noise: float
    shadow: float

    @property
    def headlights(self) -> bool:
        """Vehicles drive with their lights on."""
        return self.light is not Light.DAY

    def fade(self, depth: float) -> float:
        """Share of an object's own colour left at `depth` metres."""
        return float(np.exp(-depth * self.density))


_AMBIENT = {Light.DAY: (1.0, 1.0, 1.0), Light.DUSK: (0.62, 0.63, 0.72), Light.NIGHT: (0.45, 0.4, 0.38)}
_LAMP = {Light.DAY: (0.0, 0.0, 0.0), Light.DUSK: (0.14, 0.19, 0.22), Light.NIGHT: (0.36, 0.5, 0.6)}
_SKY = {
    Light.DAY: ((225.0, 190.0, 150.0), (240.0, 232.0, 222.0)),
    Light.DUSK: ((150.0, 110.0, 98.0), (145.0, 152.0, 198.0)),
    Light.NIGHT: ((34.0, 22.0, 18.0), (58.0, 46.0, 44.0)),
}


def atmosphere(light: Light, weather: Weather, rng: Random) -> Atmosphere:
    """One atmosphere out of the family of `light` and `weather`."""
    gain = rng.uniform(0.85, 1.12) * (0.84 if weather is Weather.RAIN and light is Light.DAY else 1.0)
    blue, green, red = (channel * gain for channel in _AMBIENT[light])
    warmth = rng.uniform(-0.05, 0.06)
    zenith, horizon = _SKY[light]
    if weather is not Weather.CLEAR and light is Light.DAY:
        zenith, horizon = (190.0, 186.0, 180.0), (215.0, 213.0, 210.0)
    overcast = weather is not Weather.CLEAR or light is Light.NIGHT
    turn = rng.uniform(0, 6.28)
    height = rng.uniform(0.5, 0.85)
    flat = (1 - height * height) ** 0.5
    return Atmosphere(
        light=light,
        weather=weather,
        ambient=(blue * (1 - warmth), green, red * (1 + warmth)),
        lamp=_LAMP[light],
        sun=(flat * float(np.cos(turn)), flat * float(np.sin(turn)), height),
        contrast=0.22 if overcast else 0.42,
        sky=(zenith, horizon),
        haze=(horizon[0] * 0.9, horizon[1] * 0.9, horizon[2] * 0.9),
        density={Weather.CLEAR: 0.0012, Weather.RAIN: 0.006, Weather.HAZE: 0.013}[weather],
        noise={Light.DAY: rng.uniform(1.0, 4.0), Light.DUSK: rng.uniform(2.0, 6.0), Light.NIGHT: rng.uniform(3.0, 9.0)}[
            light
        ],
        shadow=0.86 if overcast else 0.62,
    )


def lamp_field(x: Floats, y: Floats, lamps: list[tuple[float, float, float]]) -> Floats:
    """Share of lamp light (0..1) on points (x, y), metres."""
    field = np.zeros_like(x)
    for lamp_x, lamp_y, _ in lamps:
        squared = (x - lamp_x) ** 2 + (y - lamp_y) ** 2
        field += 1.0 / (1.0 + squared / (LAMP_REACH * LAMP_REACH)) ** 2
    return np.minimum(field, 1.25)
