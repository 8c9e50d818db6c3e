"""BM25 weights and fusion: the arithmetic that both implementations share."""

from __future__ import annotations

import numpy as np
import pytest

from matpho_embeddings.index.contract import SCENE, TEXT
from matpho_embeddings.index.ranking import (
    AVERAGE_WORDS,
    PART_WEIGHTS,
    WORDS,
    fuse,
    inverse_document_frequency,
    word_weights,
)


def row(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


class TestWordWeights:
    def test_a_single_word_in_a_text_of_average_length_weighs_one(self) -> None:
        text = " ".join(f"w{i}" for i in range(AVERAGE_WORDS))
        assert list(word_weights(text).values()) == pytest.approx([1.0] * AVERAGE_WORDS)

    def test_repeating_a_word_saturates(self) -> None:
        once, often = word_weights("a b b b b b b b b b")["a"], word_weights("a b b b b b b b b b")["b"]
        assert once < often < 2.2

    def test_a_rare_word_is_worth_more_and_none_is_negative(self) -> None:
        worth = [inverse_document_frequency(1000, n) for n in (1, 10, 500, 1000)]
        assert worth == sorted(worth, reverse=True)
        assert worth[-1] >= 0


class TestFusion:
    def test_best_in_every_part_is_one_and_a_missing_part_counts_nothing(self) -> None:
        scores = {SCENE: row(0.3, 0.2, 0.3), WORDS: row(8.0, 8.0, np.nan)}
        fused = fuse(scores, {SCENE: (0.2, 0.3), WORDS: (8.0, 8.0)})
        words = PART_WEIGHTS[WORDS] / (PART_WEIGHTS[WORDS] + PART_WEIGHTS[SCENE])
        assert fused.tolist() == pytest.approx([1.0, words, 1 - words])

    def test_a_word_that_everybody_has_decides_nothing(self) -> None:
        scores = {SCENE: row(0.30, 0.31), WORDS: row(1e-5, np.nan)}
        fused = fuse(scores, {SCENE: (0.2, 0.31), WORDS: (1e-5, 1e-5)})
        assert fused[1] > fused[0]

    def test_noise_between_equals_is_not_blown_up(self) -> None:
        scores = {SCENE: row(0.3001, 0.3), TEXT: row(0.5, 0.9)}
        fused = fuse(scores, {SCENE: (0.3, 0.3001), TEXT: (0.5, 0.9)})
        assert fused[1] > 0.5 > fused[0]

    def test_below_the_last_candidate_is_zero(self) -> None:
        assert fuse({SCENE: row(0.1)}, {SCENE: (0.2, 0.5)}).tolist() == [0.0]
