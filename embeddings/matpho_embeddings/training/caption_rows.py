"""Captioned pictures for encoder training: what is in each, and which sentences are true of which pictures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError
from matpho_contracts.text import words

MAX_ROWS = 500_000
_TOLD = ("kind", "place", "light", "weather", "ground", "action", "riders", "child")
_LONGEST_PHRASE = 4
_CERTAIN = 0.995
"""A phrase claims a trait when this share of its captions stand under pictures that have it."""
_EXPECTED = 12.0
"""...and chance alone would have put at least so many of them under pictures that do not."""


@dataclass(frozen=True, slots=True)
class Row:
    """One captioned picture; `traits` are what is known to be so, such as `light=night` or `has=truck white`."""

    file: Path
    kind: str
    object_class: str
    colour: str
    vi: tuple[str, ...]
    en: tuple[str, ...]
    traits: frozenset[str]


def read_rows(folder: Path, split: str) -> list[Row]:
    """The rows of `folder/captions.jsonl` that belong to `split` (`train` or `val`)."""
    file = folder / "captions.jsonl"
    if not file.is_file():
        raise BadInputError(
            f"{folder} is not a captions set.",
            action="Make one first: python -m matpho_simcity.dataset captions FOLDER --images 12000",
        )
    rows: list[Row] = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                told = json.loads(line)
                if told["split"] == split:
                    rows.append(_row(folder, told))
            except (ValueError, KeyError, TypeError) as error:
                raise BadInputError(f"Line {number} of {file.name} is not a caption row ({error}).") from error
            if len(rows) > MAX_ROWS:
                raise BadInputError(f"{file.name} holds more than {MAX_ROWS:,} rows.")
    if not rows:
        raise BadInputError(f"{file} has no rows of the split {split!r}.")
    return rows


def _row(folder: Path, told: dict[str, Any]) -> Row:
    objects = told.get("objects") or [told]
    traits = {f"{key}={told[key]}" for key in _TOLD if told.get(key) not in (None, "")}
    for thing in objects:
        if thing["class"]:
            traits |= {f"has={thing['class']}", f"tone={thing['colour']}", f"has={thing['class']} {thing['colour']}"}
    return Row(
        folder / told["file"], told["kind"], told["class"], told["colour"], tuple(told["vi"]), tuple(told["en"]),
        frozenset(traits),
    )  # fmt: skip


class Claims:
    """What sentences claim, learnt from the captions themselves: no list of words is kept by hand.

    A phrase of up to four words claims a trait when (nearly) all pictures captioned with it have the trait though
    chance would not have it so, and excludes a trait that none of them has. A sentence claims what its phrases claim.
    So "xanh" (green or blue) excludes the eight other colours, and "ban đêm" claims the night.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._trait_numbers = {trait: n for n, trait in enumerate(sorted({t for row in rows for t in row.traits}))}
        self._phrases: dict[str, int] = {}
        self._required, self._excluded = self._learn(rows)

    def traits(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """(rows, traits) of 0 and 1."""
        table = np.zeros((len(rows), len(self._trait_numbers)), dtype=np.float32)
        for number, row in enumerate(rows):
            table[number, [self._trait_numbers[t] for t in row.traits if t in self._trait_numbers]] = 1
        return table

    def trait(self, trait: str) -> NDArray[np.float32]:
        """(traits,): what a sentence requires that claims this one trait and no other."""
        required = np.zeros(len(self._trait_numbers), dtype=np.float32)
        required[self._trait_numbers[trait]] = 1
        return required

    def of(self, sentences: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What each sentence requires and what it excludes: two (sentences, traits) arrays of 0 and 1."""
        required = np.zeros((len(sentences), len(self._trait_numbers)), dtype=np.float32)
        excluded = np.zeros_like(required)
        for number, sentence in enumerate(sentences):
            known = [self._phrases[phrase] for phrase in phrases(sentence) if phrase in self._phrases]
            if known:
                required[number] = self._required[known].max(axis=0)
                excluded[number] = self._excluded[known].max(axis=0)
        return required, excluded

    def _learn(self, rows: Sequence[Row]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        table = self.traits(rows)
        base = table.mean(axis=0)
        counts: list[int] = []
        sums: list[NDArray[np.float32]] = []
        for row, traits in zip(rows, table, strict=True):
            for phrase in {phrase for sentence in row.vi + row.en for phrase in phrases(sentence)}:
                place = self._phrases.setdefault(phrase, len(counts))
                if place == len(counts):
                    counts.append(0)
                    sums.append(np.zeros(len(base), dtype=np.float32))
                counts[place] += 1
                sums[place] += traits
        number = np.array(counts, dtype=np.float32)[:, None]
        share = np.stack(sums) / number
        required = (share >= _CERTAIN) & (number * (1 - base) >= _EXPECTED)
        excluded = (share <= 1 - _CERTAIN) & (number * base >= _EXPECTED)
        return required.astype(np.float32), excluded.astype(np.float32)


def phrases(sentence: str) -> Iterable[str]:
    """All runs of one to four words of a sentence, folded."""
    said = words(sentence)
    for length in range(1, _LONGEST_PHRASE + 1):
        for start in range(len(said) - length + 1):
            yield " ".join(said[start : start + length])


def holds(
    required: NDArray[np.float32], excluded: NDArray[np.float32], traits: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """(sentences, pictures): whether each picture has all that a sentence requires and nothing that it excludes."""
    broken = required @ (1 - traits).T + excluded @ traits.T
    return np.asarray(broken < 0.5)
