"""Hybrid retrieval: events into points, sentences and pictures into ranked pages, always inside the caller's filter.

The text of a search is what remains of the question after dates, places and classes became filters; its vector is
compared with the pictures (scene and main object) and with the captions, its words by BM25; the index fuses the four.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError
from matpho_contracts.events import Event, unpack_vector
from matpho_contracts.text import words
from matpho_contracts.times import unix_ms
from matpho_contracts.vocabulary import EVENT_TYPES, OBJECT_NAMES, ObjectClass
from matpho_embeddings.attributes import attributes_of, sure_attributes
from matpho_embeddings.encoder import Encoder
from matpho_embeddings.index.checks import MAX_LIMIT, MAX_QUERY_WORDS, MAX_TEXT_CHARS
from matpho_embeddings.index.contract import OBJECT, SCENE, TEXT, Found, IndexFilter, Payload, Point, Query, VectorIndex

MAX_QUESTION_CHARS = 500
BATCH = 32
"""Sentences encoded together."""
REMEMBERED_TEXTS = 1024
"""Sentences whose vectors are kept: people page, repeat themselves and watch the same question."""


class Retriever:
    """Search by words or by example over one index, with one encoder."""

    def __init__(self, index: VectorIndex, encoder: Encoder) -> None:
        self._index, self._encoder = index, encoder
        self._texts: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def index(self) -> VectorIndex:
        """The index that is searched."""
        return self._index

    async def search(self, text: str | None, where: IndexFilter, *, limit: int, offset: int = 0) -> Found:
        """The best events for a sentence in Vietnamese or English among those that fit, the most certain ones first
        where attributes are asked for; without sentence and attributes the newest first.

        Raises BadInputError for a sentence over MAX_QUESTION_CHARS characters.
        """
        if text is None or not text.strip():
            return await self._index.search(Query(attributes=where.attributes), where, limit=limit, offset=offset)
        if len(text) > MAX_QUESTION_CHARS:
            raise BadInputError(f"A question of {len(text)} characters is over the limit of {MAX_QUESTION_CHARS}.")
        vector = await self.text_vector(text)
        asked = tuple(dict.fromkeys(words(text)))[:MAX_QUERY_WORDS]
        query = Query({SCENE: vector, OBJECT: vector, TEXT: vector}, asked, where.attributes)
        return await self._index.search(query, where, limit=limit, offset=offset)

    async def similar(
        self,
        vectors: Mapping[str, NDArray[np.float32]],
        where: IndexFilter,
        *,
        limit: int,
        offset: int = 0,
        exclude: str | None = None,
    ) -> Found:
        """The events most like the given vectors; `exclude` is the event they came from, which is left out.

        Raises BadInputError when no vector is given.
        """
        if not vectors:
            raise BadInputError("There is no vector to compare with.", action="Choose an event with a picture.")
        if exclude is None:
            return await self._index.search(Query(vectors), where, limit=limit, offset=offset)
        return await self._without(exclude, Query(vectors), where, limit, offset)

    async def _without(self, exclude: str, query: Query, where: IndexFilter, limit: int, offset: int) -> Found:
        """The page with one event left out: one more is asked for on either side, so that pages stay disjoint."""
        if offset + limit + 1 <= MAX_LIMIT:
            found = await self._index.search(query, where, limit=offset + limit + 1)
            hits = [hit for hit in found.hits if hit.id != exclude]
            was_there = len(hits) < len(found.hits)
            return Found(tuple(hits[offset : offset + limit]), found.total - was_there, found.exact)
        before = await self._index.search(query, where, limit=MAX_LIMIT)
        shift = int(any(hit.id == exclude for hit in before.hits))
        found = await self._index.search(query, where, limit=limit, offset=offset + shift)
        hits = [hit for hit in found.hits if hit.id != exclude]
        return Found(tuple(hits), found.total - max(shift, len(found.hits) - len(hits)), found.exact)

    async def text_vector(self, text: str) -> NDArray[np.float32]:
        """The unit vector (dim,) of a sentence, remembered for the next time."""
        known = self._remembered(text)
        return known if known is not None else (await asyncio.to_thread(self._text_vectors, [text]))[text]

    def _remembered(self, text: str) -> NDArray[np.float32] | None:
        with self._lock:
            if text in self._texts:
                self._texts.move_to_end(text)
            return self._texts.get(text)

    def _text_vectors(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Vectors of sentences, the unknown ones encoded in batches; callable from any thread."""
        found = {text: self._remembered(text) for text in texts}
        unknown = [text for text, vector in found.items() if vector is None]
        for start in range(0, len(unknown), BATCH):
            some = unknown[start : start + BATCH]
            found.update(zip(some, np.asarray(self._encoder.encode_texts(some), np.float32), strict=True))
        with self._lock:
            self._texts.update({text: vector for text in unknown if (vector := found[text]) is not None})
            while len(self._texts) > REMEMBERED_TEXTS:
                self._texts.popitem(last=False)
        return {text: vector for text, vector in found.items() if vector is not None}

    def point_of(self, event: Event) -> Point:
        """The point of one event; encodes its captions, so call it from a worker thread."""
        return self.points_of([event])[0]

    def points_of(self, events: Sequence[Event]) -> list[Point]:
        """The points of events: payload, picture vectors if this encoder made them, the captions' vector.

        Encodes all captions together; call it from a worker thread.
        """
        captions = [_sentences(event) for event in events]
        known = self._text_vectors(list(dict.fromkeys(text for texts in captions for text in texts)))
        points = []
        for event, texts in zip(events, captions, strict=True):
            vectors = self._picture_vectors(event)
            if texts:
                vectors[TEXT] = _mean(np.stack([known[text] for text in texts]))
            points.append(Point(event.id, vectors, payload_of(event)))
        return points

    def _picture_vectors(self, event: Event) -> dict[str, NDArray[np.float32]]:
        """The event's own vectors; none when another encoder or version made them, for those cannot be compared."""
        made = event.data.vectors
        if made is None or (made.encoder, made.version, made.dim) != (
            self._encoder.name,
            self._encoder.version,
            self._encoder.dim,
        ):
            return {}
        found = {SCENE: unpack_vector(made.scene)}
        if made.main_object is not None:
            found[OBJECT] = unpack_vector(made.main_object)
        return found


def _sentences(event: Event) -> list[str]:
    """The captions that say something."""
    return [sentence for sentence in (event.data.caption.vi, event.data.caption.en) if sentence.strip()]


def _mean(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The unit vector in the middle of unit vectors (n, dim): one caption in two languages."""
    total = vectors.sum(axis=0)
    length = float(np.linalg.norm(total))
    return np.asarray(total / length if length > 0 else vectors[0], np.float32)


def payload_of(event: Event) -> Payload:
    """What an event can be filtered by."""
    data = event.data
    return Payload(
        event_type=event.event_type.value,
        camera_id=data.camera_id,
        area=data.area,
        time_ms=unix_ms(event.time),
        severity=data.severity.rank,
        attributes=attributes_of(event),
        sure=sure_attributes(event),
        object_count=data.object_count,
        plates=tuple(dict.fromkeys(seen.plate.normalised for seen in data.objects if seen.plate is not None)),
        lat=None if data.location is None else data.location.lat,
        lon=None if data.location is None else data.location.lon,
        zone=data.zone,
        text=searchable_text(event),
    )


def searchable_text(event: Event) -> str:
    """The folded words of an event, with spaces: captions, names of its type and objects, zone, camera, plates."""
    data = event.data
    _, _, type_name = EVENT_TYPES[event.event_type]
    known = set(ObjectClass)
    labels = dict.fromkeys(seen.label for seen in data.objects)
    names = [OBJECT_NAMES[ObjectClass(label)] for label in labels if label in known]
    parts = [
        data.caption.vi,
        data.caption.en,
        type_name.vi,
        type_name.en,
        *(text for name in names for text in (name.vi, name.en)),
        *(label for label in labels if label not in known),
        data.zone or "",
        data.camera_id,
        *(seen.plate.normalised for seen in data.objects if seen.plate is not None),
    ]
    return " ".join(words(" ".join(parts)))[:MAX_TEXT_CHARS]
