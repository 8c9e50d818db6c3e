"""Inverted indexes: for each word or attribute the rows it stands in and its weight there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from matpho_embeddings.index.ranking import certainty, inverse_document_frequency, word_weights


class _Postings:
    """Rows and weights of one word, in ascending row order."""

    __slots__ = ("count", "rows", "weights")

    def __init__(self) -> None:
        self.count = 0
        self.rows = np.empty(4, np.int32)
        self.weights = np.empty(4, np.float32)

    def append(self, row: int, weight: float) -> None:
        if self.count == len(self.rows):
            self.rows = np.concatenate([self.rows, np.empty_like(self.rows)])
            self.weights = np.concatenate([self.weights, np.empty_like(self.weights)])
        self.rows[self.count] = row
        self.weights[self.count] = weight
        self.count += 1


class _Inverted:
    """Postings by name. One writer; readers see whole rows below the `n` they began with."""

    def __init__(self) -> None:
        self._postings: dict[str, _Postings] = {}
        self._rows = 0

    def _write(self, row: int, weights: Mapping[str, float]) -> None:
        for name, weight in weights.items():
            postings = self._postings.get(name)
            if postings is None:
                postings = self._postings.setdefault(name, _Postings())
            postings.append(row, weight)
        self._rows += 1

    def _read(self, names: Iterable[str], n: int) -> Iterable[tuple[NDArray[np.int32], NDArray[np.float32], int]]:
        """For each known name its rows below `n`, their weights, and in how many rows it stands in all."""
        for name in dict.fromkeys(names):
            postings = self._postings.get(name)
            if postings is not None:
                count = postings.count
                rows = postings.rows[:count]
                rows = rows[: int(np.searchsorted(rows, n))]
                yield rows, postings.weights[: len(rows)], count


class WordIndex(_Inverted):
    """BM25 over the texts of the points."""

    def write(self, row: int, text: str) -> None:
        """Add one folded text; rows come in ascending order."""
        self._write(row, word_weights(text))

    def scores(self, words: Iterable[str], n: int) -> NDArray[np.float32]:
        """BM25 of every row below `n`, shape (n,); 0 where none of the words stands."""
        scores = np.zeros(n, np.float32)
        for rows, weights, count in self._read(words, n):
            scores[rows] += weights * np.float32(inverse_document_frequency(self._rows, count))
        return scores


class AttributeIndex(_Inverted):
    """How certain each attribute is of each point."""

    def write(self, row: int, attributes: Mapping[str, float]) -> None:
        """Add one point's attributes; rows come in ascending order."""
        self._write(row, attributes)

    def scores(self, attributes: Iterable[str], n: int) -> NDArray[np.float32]:
        """Certainty of any of the attributes, every row below `n`, shape (n,)."""
        scores = np.zeros(n, np.float32)
        for rows, weights, _ in self._read(attributes, n):
            scores[rows] += weights
        return certainty(scores)
