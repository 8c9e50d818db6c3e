"""Measures an encoder on held-out captions: does a sentence find the pictures it is true of?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matpho_contracts.text import fold

from ..encoder import Encoder
from ..encoder_pictures import as_input, fitted
from ..encoder_words import Words
from .caption_batches import picture_input
from .caption_rows import Row, read_rows
from .extra import need

DEPTHS = (1, 10)
Vectors = NDArray[np.float32]


def retrieval_figures(model: Any, rows: Sequence[Row], tokenizer: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """`scores` of a torch model of open_clip on held-out rows."""
    torch = need("torch")
    words = Words(tokenizer, config["model_cfg"]["text_cfg"]["context_length"])
    wanted = picture_input(config)

    def images(pictures: Sequence[NDArray[np.uint8]]) -> Vectors:
        given = torch.from_numpy(as_input([fitted(picture, wanted) for picture in pictures], wanted))
        return np.asarray(model.encode_image(given, normalize=True), dtype=np.float32)

    def texts(sentences: Sequence[str]) -> Vectors:
        return np.asarray(model.encode_text(torch.from_numpy(words.ids(sentences)), normalize=True), dtype=np.float32)

    model.eval()
    model.to("cpu")
    with torch.no_grad():
        return scores(rows, images, texts)


def evaluate_encoder(encoder: Encoder, data: Path) -> dict[str, Any]:
    """`scores` of any encoder on the held-out rows of a captions set; needs no torch."""
    return scores(read_rows(data, "val"), encoder.encode_images, encoder.encode_texts)


def scores(
    rows: Sequence[Row],
    images: Callable[[Sequence[NDArray[np.uint8]]], Vectors],
    texts: Callable[[Sequence[str]], Vectors],
) -> dict[str, Any]:
    """Text to image retrieval among the crops of `rows`, by the shortest sentence of each class and colour.

    A query such as "xe tải trắng" is answered right by any crop of that class and colour. `precision@k`: the mean
    share of right crops among the first k (or among as many as there are). `hit@k`: the share of queries with a right
    crop among the first k. `image_recall@10`: asked with its own shortest sentence, the share of crops that stand
    among the first 10 after taking out the other right ones.
    """
    things = [row for row in rows if row.kind == "object"]
    vectors = _in_batches(images, [_read(row.file) for row in things])
    figures: dict[str, Any] = {"pictures": len(things)}
    spoken = {
        "vi": [row.vi[0] for row in things],
        "vi_unmarked": [fold(row.vi[0]) for row in things],
        "en": [row.en[0] for row in things],
    }
    for name, sentences in spoken.items():
        figures[name] = _language_scores(sentences, vectors, texts)
    return figures


def _language_scores(
    sentences: Sequence[str], vectors: Vectors, texts: Callable[[Sequence[str]], Vectors]
) -> dict[str, Any]:
    queries = sorted(set(sentences))
    number = {query: place for place, query in enumerate(queries)}
    of_picture = np.array([number[sentence] for sentence in sentences])
    similarity = texts(queries) @ vectors.T
    found: dict[str, Any] = {"queries": len(queries)}
    order = np.argsort(-similarity, axis=1)
    right = of_picture[order] == np.arange(len(queries))[:, None]
    for depth in DEPTHS:
        available = np.minimum(right.sum(axis=1), depth)
        found[f"precision@{depth}"] = round(float((right[:, :depth].sum(axis=1) / available).mean()), 4)
        found[f"hit@{depth}"] = round(float(right[:, :depth].any(axis=1).mean()), 4)
    found["image_recall@10"] = round(float(np.mean(_ranks(similarity, of_picture) < 10)), 4)
    return found


def _ranks(similarity: Vectors, of_picture: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many wrong pictures stand before each picture when its own sentence is asked."""
    ranks = []
    for picture, query in enumerate(of_picture):
        wrong = similarity[query][of_picture != query]
        ranks.append(int((wrong > similarity[query, picture]).sum()))
    return np.array(ranks, dtype=np.int64)


def _in_batches(
    images: Callable[[Sequence[NDArray[np.uint8]]], Vectors], pictures: Sequence[NDArray[np.uint8]]
) -> Vectors:
    return np.concatenate([images(pictures[start : start + 64]) for start in range(0, len(pictures), 64)])


def _read(file: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)
