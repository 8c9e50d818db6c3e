"""Batches of pictures and sentences for contrastive training, with which sentence is true of which picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError
from matpho_contracts.text import fold
from matpho_contracts.vocabulary import OBJECT_NAMES, ObjectClass

from ..encoder_pictures import PictureInput, as_input, fitted
from ..encoder_words import Words
from .caption_rows import Claims, Row, holds

VIETNAMESE = 0.6
"""Share of sentences in Vietnamese; the others are English."""
UNMARKED = 0.35
"""Share of Vietnamese sentences shown without marks, as many people type."""
ASKED = 0.15
"""Share of sentences shown as a request."""
_REQUESTS_VI = ("tìm {}", "cho tôi xem {}", "{} ở đâu", "có {} không", "tìm giúp {}", "hình ảnh {}", "camera thấy {}")
_REQUESTS_EN = ("find {}", "show me {}", "where is {}", "is there {}", "a photo of {}", "camera view of {}")
BARE = 0.2
"""Share of sentences about crops that are the mere name of the thing, as the contract's vocabulary has it."""
SHORTEST = 0.3
"""Share of sentences that are the shortest form, such as "xe tải trắng"."""


@dataclass(frozen=True, slots=True)
class Batch:
    """b pictures and b sentences: images (b, 3, size, size), texts (b, context), true and left_out (b, b).

    `traits` (b, traits) of 0 and 1 says what is in each picture.
    """

    images: NDArray[np.float32]
    texts: NDArray[np.int64]
    true: NDArray[np.bool_]
    left_out: NDArray[np.bool_]
    traits: NDArray[np.float32]


def picture_input(config: Mapping[str, Any]) -> PictureInput:
    """How the model of an open_clip configuration wants its pictures."""
    preprocess = config["preprocess_cfg"]
    mean, std = tuple(preprocess["mean"]), tuple(preprocess["std"])
    return PictureInput(config["model_cfg"]["vision_cfg"]["image_size"], mean, std, preprocess.get("fit", "crop"))


class CaptionBatches:
    """Draws batches without end; rare kinds of object come up as often as the square root of their number."""

    def __init__(
        self, rows: Sequence[Row], claims: Claims, tokenizer: Path, config: Mapping[str, Any], size: int, seed: int
    ) -> None:
        self._rows = rows
        self._encoded = [row.file.read_bytes() for row in rows]
        self._traits = claims.traits(rows)
        self._claims = claims
        self._words = Words(tokenizer, config["model_cfg"]["text_cfg"]["context_length"])
        self._input = picture_input(config)
        self._size = size
        self._random = Random(seed)
        self._numbers = np.random.default_rng(seed)
        kinds = [(row.kind, row.object_class if row.kind == "object" else "", row.colour) for row in rows]
        counts = Counter(kinds)
        weights = np.array([counts[kind] ** -0.5 for kind in kinds])
        self._weights = weights / weights.sum()

    def draw(self) -> Batch:
        """The next batch."""
        chosen = self._numbers.choice(len(self._rows), self._size, replace=False, p=self._weights)
        said = [self._sentence(self._rows[n]) for n in chosen]
        required, excluded = self._claims.of(said)
        for place, n in enumerate(chosen):
            if said[place] in self._bare(self._rows[n]):
                required[place], excluded[place] = self._claims.trait(f"has={self._rows[n].object_class}"), 0
        true = holds(required, excluded, self._traits[chosen])
        own = np.eye(self._size, dtype=bool)
        scene = np.array([self._rows[n].kind == "scene" for n in chosen])
        # A sentence about a crop may be true of a whole scene in which the thing is a dot: such a pair says nothing.
        left_out = true & ~own & (scene[:, None] != scene[None, :])
        images = as_input([self._picture(n) for n in chosen], self._input)
        texts = self._words.ids([self._typed(sentence) for sentence in said])
        return Batch(images, texts, (true & ~left_out) | own, left_out, self._traits[chosen])

    @property
    def traits(self) -> int:
        """How many traits pictures may have."""
        return int(self._traits.shape[1])

    def _sentence(self, row: Row) -> str:
        vietnamese = self._random.random() < VIETNAMESE
        sentences = row.vi if vietnamese else row.en
        if self._random.random() < BARE and (names := self._bare(row)):
            return names[0 if vietnamese else 1]
        if row.kind == "object" and self._random.random() < SHORTEST:
            return sentences[0]
        return self._random.choice(sentences)

    @staticmethod
    def _bare(row: Row) -> tuple[str, ...]:
        """The name of a crop's thing, Vietnamese and English; nothing for a scene or a class without a name."""
        if row.kind == "object" and row.object_class in OBJECT_NAMES:
            return OBJECT_NAMES[ObjectClass(row.object_class)]
        return ()

    def _typed(self, sentence: str) -> str:
        marked = sentence != fold(sentence)
        if self._random.random() < ASKED:
            forms = _REQUESTS_VI if marked else _REQUESTS_EN
            sentence = self._random.choice(forms).format(sentence)
        return fold(sentence) if marked and self._random.random() < UNMARKED else sentence

    def _picture(self, number: int) -> NDArray[np.uint8]:
        picture = cv2.imdecode(np.frombuffer(self._encoded[number], np.uint8), cv2.IMREAD_COLOR)
        if picture is None:
            raise BadInputError(f"{self._rows[number].file.name} is not a picture.", action="Make the set again.")
        return fitted(varied(np.asarray(picture, dtype=np.uint8), self._random), self._input)


def varied(picture: NDArray[np.uint8], random: Random) -> NDArray[np.uint8]:
    """Up to a tenth cut off each side, mirrored half the time, a little brighter or darker; hues stay as they are."""
    height, width = picture.shape[:2]
    top, bottom = (int(height * random.uniform(0, 0.1)) for _ in range(2))
    left, right = (int(width * random.uniform(0, 0.1)) for _ in range(2))
    part = picture[top : height - bottom, left : width - right]
    if random.random() < 0.5:
        part = np.ascontiguousarray(part[:, ::-1])
    if random.random() < 0.3:
        part = np.asarray(cv2.GaussianBlur(part, (3, 3), 0), dtype=np.uint8)
    return np.asarray(
        cv2.convertScaleAbs(part, alpha=random.uniform(0.85, 1.15), beta=random.uniform(0, 10)), dtype=np.uint8
    )
