"""Learns where on a thing its colour is and how it is to be read, from crops whose colours are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.vocabulary import Colour
from matpho_edge.colours import FLOOR, KINDS, SHAPES, Weights, kind_of
from matpho_edge.colours_codes import GRID, crop_codes, plain_readings
from matpho_edge.colours_light import Light

PARTS = 2
"""Maps per kind and shape: one finds the colour, the other what stands around it."""
FULL_WEIGHT_SIDE = 16
"""Crops with a shorter side than this count less: even people are unsure of them."""
_LIGHT_JITTER, _TINT_JITTER, _GREY_JITTER = 0.14, 0.04, 0.25
_STEPS, _RATE, _HOLD = 150, 0.06, 2e-4
_ORDER = tuple(Colour)
_MOMENTUM, _SPREAD = 0.9, 0.99

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Example:
    """One crop as `crop_codes` saw it, its `kind_of` number, the place of its colour in `Colour`, and its weight."""

    codes: Floats
    kind: int
    colour: int
    weight: float


def example(
    crop: NDArray[np.uint8], label: str, light: Light, colour: Colour, random: np.random.Generator | None = None
) -> Example:
    """An example out of a crop; `random` mirrors it and errs in the light, as a camera in the street does.

    Grey errs most: silver and charcoal are grey to a person.
    """
    height, width = crop.shape[:2]
    if random is not None:
        crop = crop[:, ::-1] if random.random() < 0.5 else crop
        wide = random.uniform(-_GREY_JITTER, _GREY_JITTER) if colour is Colour.GREY else 0.0
        blue, green, red = (factor * float(np.exp(random.normal(0, _TINT_JITTER))) for factor in light.tint)
        light = Light(
            light.white * float(np.exp(random.normal(0, _LIGHT_JITTER) + wide)),
            light.middle * float(np.exp(random.normal(0, _LIGHT_JITTER) + wide)),
            (blue, green, red),
        )
    codes = crop_codes(np.ascontiguousarray(crop), light)
    weight = min(1.0, min(height, width) / FULL_WEIGHT_SIDE)
    return Example(codes, kind_of(label, width, height), _ORDER.index(colour), weight)


def fit(examples: Sequence[Example], steps: int = _STEPS) -> Weights:
    """Softmax regression over the roots of mapped shares, by Adam; the readings are held near `plain_readings`.

    Holding them there keeps a hue that no example has under the name that people give it.
    """
    model = _Model(examples)
    first, second = [np.zeros_like(p) for p in model.parameters], [np.zeros_like(p) for p in model.parameters]
    for step in range(1, steps + 1):
        rate = _RATE if step < 0.7 * steps else 0.3 * _RATE
        for place, (parameter, slope) in enumerate(zip(model.parameters, model.slopes(), strict=True)):
            first[place] = _MOMENTUM * first[place] + (1 - _MOMENTUM) * slope
            second[place] = _SPREAD * second[place] + (1 - _SPREAD) * slope * slope
            move = first[place] / (1 - _MOMENTUM**step)
            parameter -= rate * move / (np.sqrt(second[place] / (1 - _SPREAD**step)) + 1e-8)
    return model.weights()


def save(weights: Weights, path: Path) -> None:
    """Writes the weights in half precision, which changes no answer that is not a toss-up."""
    maps, readings, bias = (part.astype(np.float16) for part in weights)
    np.savez_compressed(path, maps=maps, readings=readings, bias=bias)


def _shares(scores: Floats) -> Floats:
    """Softmax along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), np.float32)


class _Model:
    """The parameters while they are learnt: map scores, readings, bias."""

    def __init__(self, examples: Sequence[Example]) -> None:
        random = np.random.default_rng(0)
        rows, columns = np.mgrid[:GRID, :GRID] - (GRID - 1) / 2
        maps = random.normal(0, 0.1, (KINDS * SHAPES, PARTS, GRID * GRID)).astype(np.float32)
        maps[:, 0] -= 0.7 * ((rows / 3) ** 2 + (columns / 3) ** 2).ravel()
        plain = plain_readings()
        held = np.zeros((PARTS, *plain.shape), np.float32)
        held[0] = 2.0 * plain
        self._held = np.stack([held] * KINDS)
        self.parameters = [maps, self._held.copy(), np.zeros((KINDS, len(_ORDER)), np.float32)]
        kinds = np.array([each.kind for each in examples])
        self._groups = [(kind, np.flatnonzero(kinds == kind)) for kind in np.unique(kinds)]
        self._codes = {int(kind): np.stack([examples[int(i)].codes for i in chosen]) for kind, chosen in self._groups}
        self._wanted = np.eye(len(_ORDER), dtype=np.float32)[[each.colour for each in examples]]
        self._weight = np.array([each.weight for each in examples], np.float32)[:, None]
        self._weight /= self._weight.sum()

    def slopes(self) -> list[Floats]:
        """Derivatives of the loss by the parameters."""
        maps, readings, bias = self.parameters
        by_map, by_reading, by_bias = np.zeros_like(maps), np.zeros_like(readings), np.zeros_like(bias)
        for place, chosen in self._groups:
            kind, codes, looked = place // SHAPES, self._codes[int(place)], _shares(maps[place])
            roots = np.sqrt(np.einsum("pc,nck->npk", looked, codes, optimize=True) + FLOOR)
            scores = np.einsum("npk,pok->no", roots, readings[kind], optimize=True) + bias[kind]
            off = (_shares(scores) - self._wanted[chosen]) * self._weight[chosen]
            by_reading[kind] += np.einsum("no,npk->pok", off, roots, optimize=True)
            by_bias[kind] += off.sum(axis=0)
            by_share = np.einsum("no,pok->npk", off, readings[kind], optimize=True) / (2 * roots)
            by_look = np.einsum("npk,nck->pc", by_share, codes, optimize=True)
            by_map[place] += looked * (by_look - (looked * by_look).sum(axis=1, keepdims=True))
        return [by_map + 0.2 * _HOLD * maps, by_reading + _HOLD * (readings - self._held), by_bias]

    def weights(self) -> Weights:
        """As `colours` uses them: maps that sum to 1, readings with parts and codes in one row."""
        maps, readings, bias = self.parameters
        flat = readings.transpose(0, 2, 1, 3).reshape(KINDS, len(_ORDER), -1)
        return _shares(maps), flat, bias
