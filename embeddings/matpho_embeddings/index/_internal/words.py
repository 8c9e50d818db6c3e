"""An inverted index over folded words: for each word the rows it stands in and its BM25 weight there."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from matpho_embeddings.index.ranking import inverse_document_frequency, word_weights


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


class WordIndex:
    """BM25 over the texts of the points. One writer; readers see whole rows below the `n` they began with."""

    def __init__(self) -> None:
        self._postings: dict[str, _Postings] = {}
        self._documents = 0

    def write(self, row: int, text: str) -> None:
        """Add one folded text; rows come in ascending order."""
        weights = word_weights(text)
        for word, weight in weights.items():
            postings = self._postings.get(word)
            if postings is None:
                postings = self._postings.setdefault(word, _Postings())
            postings.append(row, weight)
        self._documents += 1

    def scores(self, words: Iterable[str], n: int) -> NDArray[np.float32]:
        """BM25 of every row below `n`, shape (n,); 0 where none of the words stands."""
        scores = np.zeros(n, np.float32)
        for word in dict.fromkeys(words):
            postings = self._postings.get(word)
            if postings is None:
                continue
            count = postings.count
            rows, weights = postings.rows[:count], postings.weights[:count]
            rows = rows[: int(np.searchsorted(rows, n))]
            rarity = np.float32(inverse_document_frequency(self._documents, count))
            scores[rows] += weights[: len(rows)] * rarity
        return scores
