"""How hits are scored: BM25 over folded words, and the fusion of several parts into one score.

Both implementations of the index use these functions, so that a laptop and a province rank alike.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from matpho_embeddings.index.contract import OBJECT, SCENE, TEXT

WORDS = "words"
ATTRIBUTES = "attributes"
SPARSE_NAMES = (WORDS, ATTRIBUTES)
"""Names of the parts of a hit that are no cosines: BM25, and how certain the asked attributes are."""
K1 = 1.2
B = 0.75
"""BM25 saturation and length correction: the usual values (Robertson and Zaragoza, 2009)."""
AVERAGE_WORDS = 24
"""Words of a typical event text; a constant, so that a word's weight never changes after it is stored."""
CANDIDATES = 256
"""With several parts, the best of each part enter the fusion in blocks of so many."""
PART_WEIGHTS: Mapping[str, float] = {SCENE: 0.75, OBJECT: 0.75, TEXT: 1.0, WORDS: 1.5, ATTRIBUTES: 3.0}
"""The three dense parts say much the same thing; a rare word that is really there says something of its own. What a
detector and many looks say of an object is surer than how alike one picture and a sentence are."""
MIN_SPREAD: Mapping[str, float] = {SCENE: 0.02, OBJECT: 0.02, TEXT: 0.02, WORDS: 0.5, ATTRIBUTES: 1.0}
"""A part is scaled by at least this much, so that the noise between equals is not blown up."""


def word_weights(text: str) -> dict[str, float]:
    """BM25 weight of each word of one folded text, without the inverse document frequency.

    >>> weights = word_weights("xe tai xe")
    >>> weights["xe"] > weights["tai"]
    True
    """
    counts = Counter(text.split())
    length = sum(counts.values())
    norm = K1 * (1 - B + B * length / AVERAGE_WORDS)
    return {word: count * (K1 + 1) / (count + norm) for word, count in counts.items()}


def inverse_document_frequency(documents: int, containing: int) -> float:
    """How rare a word is: ln(1 + (N - n + 0.5) / (n + 0.5)), never negative; Qdrant's formula and Lucene's."""
    return math.log(1 + (documents - containing + 0.5) / (containing + 0.5))


def candidates(window: int) -> int:
    """How many of the best of each part are fused for a page that ends at `window`: whole blocks, so that the pages
    within a block come from one ranking."""
    return CANDIDATES * math.ceil(window / CANDIDATES)


def certainty(sums: NDArray[np.float32]) -> NDArray[np.float32]:
    """How certain any of several attributes is, from the sum of their certainties: names of one object exclude each
    other, and of several objects the sum may pass 1."""
    return np.minimum(sums, np.float32(1.0))


def fuse(scores: Mapping[str, NDArray[np.float32]], limits: Mapping[str, tuple[float, float]]) -> NDArray[np.float32]:
    """One score 0..1 for each candidate, shape (candidates,).

    `scores` holds each part's own scores (candidates,), NaN where a candidate lacks the part; `limits` the last and the
    best score of each part's own candidates. A part is scaled to 0..1 between them (sparse parts from 0, since a rare
    word is worth more than a common one), then the weighted mean is taken; a missing part counts 0.
    """
    total = sum(PART_WEIGHTS[name] for name in scores)
    fused = np.zeros(len(next(iter(scores.values()))), np.float32)
    for name, own in scores.items():
        last, best = limits[name]
        floor = 0.0 if name in SPARSE_NAMES else last
        scaled = (np.nan_to_num(own, nan=floor) - floor) / max(best - floor, MIN_SPREAD[name])
        fused += np.float32(PART_WEIGHTS[name] / total) * np.clip(scaled, 0, 1).astype(np.float32)
    return fused
