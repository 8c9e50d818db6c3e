"""What the ten colour names look like: a family of shades each, blue-green-red."""

from __future__ import annotations

import colorsys
from random import Random

from matpho_contracts.vocabulary import Colour

Bgr = tuple[float, float, float]

# Hue (turns), saturation and value ranges: chosen so that no two families touch.
_FAMILIES: dict[Colour, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    Colour.RED: ((0.975, 1.012), (0.78, 0.95), (0.62, 0.86)),
    Colour.ORANGE: ((0.055, 0.085), (0.85, 1.0), (0.88, 1.0)),
    Colour.YELLOW: ((0.13, 0.16), (0.75, 0.95), (0.86, 0.98)),
    Colour.GREEN: ((0.30, 0.41), (0.6, 0.9), (0.4, 0.66)),
    Colour.BLUE: ((0.575, 0.64), (0.68, 0.92), (0.5, 0.86)),
    Colour.PURPLE: ((0.75, 0.82), (0.5, 0.75), (0.5, 0.75)),
    Colour.WHITE: ((0.1, 0.6), (0.0, 0.03), (0.9, 0.98)),
    Colour.GREY: ((0.55, 0.65), (0.0, 0.06), (0.42, 0.58)),
    Colour.BLACK: ((0.55, 0.65), (0.0, 0.12), (0.08, 0.15)),
    Colour.BROWN: ((0.05, 0.08), (0.5, 0.68), (0.3, 0.44)),
}


def shade(colour: Colour, rng: Random) -> Bgr:
    """One shade of `colour` as (blue, green, red), 0..255."""
    hue, saturation, value = (rng.uniform(*span) for span in _FAMILIES[colour])
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return blue * 255, green * 255, red * 255


def scaled(colour: Bgr, factor: float) -> Bgr:
    """The same hue, `factor` times as bright."""
    blue, green, red = (min(255.0, channel * factor) for channel in colour)
    return blue, green, red


GLASS: Bgr = (74.0, 62.0, 52.0)
TYRE: Bgr = (30.0, 28.0, 28.0)
HUB: Bgr = (150.0, 150.0, 150.0)
CHROME: Bgr = (175.0, 178.0, 180.0)
DARK: Bgr = (38.0, 36.0, 35.0)
HEADLIGHT: Bgr = (225.0, 245.0, 250.0)
TAILLIGHT: Bgr = (30.0, 20.0, 190.0)
INDICATOR: Bgr = (20.0, 130.0, 250.0)
PLATE_WHITE: Bgr = (228.0, 230.0, 230.0)
PLATE_YELLOW: Bgr = (40.0, 200.0, 235.0)
BEACON_BLUE: Bgr = (255.0, 120.0, 40.0)
BEACON_RED: Bgr = (40.0, 40.0, 255.0)
SKIN: tuple[Bgr, ...] = ((120.0, 155.0, 205.0), (100.0, 138.0, 190.0), (135.0, 170.0, 215.0), (82.0, 115.0, 165.0))
HAIR: tuple[Bgr, ...] = ((22.0, 22.0, 26.0), (30.0, 32.0, 40.0), (120.0, 122.0, 125.0))
