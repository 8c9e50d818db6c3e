"""The index on a Qdrant server: the same filters, the same words, the same fusion, asked over the network."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException

from matpho_contracts.errors import ConfigurationError, StorageFullError, UnavailableError
from matpho_embeddings.index._internal.wire import payload_document
from matpho_embeddings.index.checks import check_filter, check_id, check_points, check_query
from matpho_embeddings.index.contract import VECTOR_NAMES, Found, Hit, IndexFilter, Point, Query
from matpho_embeddings.index.ranking import ATTRIBUTES, SPARSE_NAMES, WORDS, candidates, certainty, fuse, word_weights
from matpho_embeddings.index.settings import IndexSettings

TIMEOUT_S = 20
UPSERT_POINTS = 256
EXACT = models.SearchParams(exact=True)
GRAPH = models.SearchParams(hnsw_ef=256)
"""On large sets: a wide search of the graph."""
_NEWEST = models.OrderBy(key="time_ms", direction=models.Direction.DESC)
_PARTS = "plate_parts"
_PLACE = "place"
_KEYWORDS = ("event_type", "camera_id", "area", "attributes", "sure", _PARTS)
_INTEGERS = ("time_ms", "severity", "object_count")
Scores = dict[str, float]


class QdrantServerIndex:
    """A `VectorIndex` in one collection of a Qdrant server (1.10 or later)."""

    def __init__(self, client: AsyncQdrantClient, settings: IndexSettings) -> None:
        self._client, self._settings, self._collection = client, settings, settings.collection

    @classmethod
    async def open(cls, settings: IndexSettings) -> QdrantServerIndex:
        """Connect and make the collection when it is not there; raises UnavailableError or ConfigurationError."""
        key = settings.api_key.get_secret_value() if settings.api_key else None
        client = AsyncQdrantClient(url=settings.url, api_key=key, timeout=TIMEOUT_S, check_compatibility=False)
        return await cls.over(client, settings)

    @classmethod
    async def over(
        cls, client: AsyncQdrantClient, settings: IndexSettings, *, payload_indexes: bool = True
    ) -> QdrantServerIndex:
        """The index over a client that is already there, which the index closes; a client without a server (Qdrant's
        local mode) knows no payload indexes."""
        index = cls(client, settings)
        try:
            await index._prepare(payload_indexes=payload_indexes)
        except Exception:
            await client.close()
            raise
        return index

    async def _prepare(self, *, payload_indexes: bool) -> None:
        """Make the collection and its payload indexes, or compare the one that is there."""
        try:
            if await self._client.collection_exists(self._collection):
                await self._compare()
                return
            size = self._settings.dim
            params = models.VectorParams(size=size, distance=models.Distance.COSINE)
            await self._client.create_collection(
                self._collection,
                vectors_config=dict.fromkeys(VECTOR_NAMES, params),
                sparse_vectors_config={
                    WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF),
                    ATTRIBUTES: models.SparseVectorParams(),
                },
            )
            if payload_indexes:
                await self._index_payload()
        except (ApiException, ResponseHandlingException) as error:
            raise _converted(error) from error

    async def _compare(self) -> None:
        info = await self._client.get_collection(self._collection)
        held = info.config.params.vectors
        sizes = {name: held[name].size for name in held} if isinstance(held, dict) else {}
        if sizes != dict.fromkeys(VECTOR_NAMES, self._settings.dim):
            raise ConfigurationError(
                f"The collection {self._collection} holds {sizes}, this program wants {self._settings.dim} numbers.",
                action="Use the encoder it was built with, or another collection.",
            )
        if set(info.config.params.sparse_vectors or {}) != set(SPARSE_NAMES):
            raise ConfigurationError(
                f"The collection {self._collection} was made by another version of this program.",
                action="Name another collection; it is filled again from the stored events.",
            )

    async def _index_payload(self) -> None:
        schemas: dict[str, models.PayloadSchemaType] = {
            **dict.fromkeys(_KEYWORDS, models.PayloadSchemaType.KEYWORD),
            **dict.fromkeys(_INTEGERS, models.PayloadSchemaType.INTEGER),
            _PLACE: models.PayloadSchemaType.GEO,
        }
        for field, schema in schemas.items():
            await self._client.create_payload_index(self._collection, field, schema, wait=True)

    async def upsert(self, points: Sequence[Point]) -> None:
        """Add or replace points; the server has them in its log and serves them on return."""
        check_points(points, self._settings.dim)
        for start in range(0, len(points), UPSERT_POINTS):
            records = [_record(point) for point in points[start : start + UPSERT_POINTS]]
            await self._call(self._client.upsert(self._collection, records, wait=True))

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove points; an unknown id is no error."""
        for point_id in ids:
            check_id(point_id)
        if ids:
            selector = models.PointIdsList(points=list(ids))
            await self._call(self._client.delete(self._collection, selector, wait=True))

    async def count(self, where: IndexFilter) -> int:
        """How many points fit, counted exactly."""
        check_filter(where)
        if where.scope_areas == ():
            return 0
        answer = await self._call(self._client.count(self._collection, count_filter=_filter(where), exact=True))
        return int(answer.count)

    async def vectors(self, point_id: str) -> Mapping[str, NDArray[np.float32]] | None:
        """A stored point's vectors, or None when it is not there."""
        check_id(point_id)
        records = await self._call(
            self._client.retrieve(self._collection, [point_id], with_payload=False, with_vectors=list(VECTOR_NAMES))
        )
        if not records:
            return None
        held = records[0].vector or {}
        return {name: np.asarray(held[name], np.float32) for name in VECTOR_NAMES if name in held}

    async def search(self, query: Query, where: IndexFilter, *, limit: int, offset: int = 0) -> Found:
        """The best points among those that fit; exact whenever fewer fit than `exact_below`."""
        check_query(query, where, limit, offset, self._settings.dim)
        total = await self.count(where)
        if not total:
            return Found((), 0, exact=True)
        asked = _asked(query)
        if not asked:
            return Found(await self._newest(where, limit, offset), total, exact=True)
        exact = total <= self._settings.exact_below
        wanted = offset + limit if len(asked) == 1 else candidates(offset + limit)
        best, times = await self._best(asked, where, wanted, exact=exact)
        best = {name: scores for name, scores in best.items() if scores}
        if not best:
            return Found((), total, exact)
        if len(asked) == 1:
            name, own = next(iter(best.items()))
            return Found(_page(own, {name: own}, times, limit, offset), total, exact)
        limits = {name: (min(scores.values()), max(scores.values())) for name, scores in best.items()}
        chosen = sorted({point_id for scores in best.values() for point_id in scores})
        full = await self._scores_of({name: asked[name] for name in best}, chosen)
        table = {
            name: np.array([own.get(point_id, np.nan) for point_id in chosen], np.float32) for name, own in full.items()
        }
        fused = dict(zip(chosen, fuse(table, limits).tolist(), strict=True))
        return Found(_page(fused, full, times, limit, offset), total, exact)

    async def _best(
        self, asked: Mapping[str, Any], where: IndexFilter, wanted: int, *, exact: bool
    ) -> tuple[dict[str, Scores], dict[str, int]]:
        """The best of each part inside the filter in one round trip, and the candidates' times."""
        condition = _filter(where)
        requests = [
            models.QueryRequest(
                query=vector,
                using=name,
                filter=condition,
                limit=wanted,
                params=EXACT if exact else GRAPH,
                with_payload=["time_ms"],
            )
            for name, vector in asked.items()
        ]
        answers = await self._call(self._client.query_batch_points(self._collection, requests))
        best = {name: _scores(name, answer) for name, answer in zip(asked, answers, strict=True)}
        times = {str(hit.id): int((hit.payload or {})["time_ms"]) for answer in answers for hit in answer.points}
        return best, times

    async def _scores_of(self, asked: Mapping[str, Any], chosen: list[str]) -> dict[str, Scores]:
        """Every part's own score of the chosen points, as far as they have the part."""
        condition = models.Filter(must=[models.HasIdCondition(has_id=list(chosen))])
        requests = [
            models.QueryRequest(query=vector, using=name, filter=condition, limit=len(chosen), params=EXACT)
            for name, vector in asked.items()
        ]
        answers = await self._call(self._client.query_batch_points(self._collection, requests))
        return {name: _scores(name, answer) for name, answer in zip(asked, answers, strict=True)}

    async def _newest(self, where: IndexFilter, limit: int, offset: int) -> tuple[Hit, ...]:
        records, _ = await self._call(
            self._client.scroll(
                self._collection,
                scroll_filter=_filter(where),
                limit=offset + limit,
                order_by=_NEWEST,
                with_payload=["time_ms"],
            )
        )
        times = {str(record.id): int((record.payload or {})["time_ms"]) for record in records}
        return _page(dict.fromkeys(times, 0.0), {}, times, limit, offset)

    async def _call(self, request: Any) -> Any:
        try:
            return await asyncio.wait_for(request, TIMEOUT_S)
        except (ApiException, ResponseHandlingException, TimeoutError) as error:
            raise _converted(error) from error

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


def _scores(name: str, answer: models.QueryResponse) -> Scores:
    """Each hit's score of one part; a text without any of the words does not belong to the part of the words."""
    hits = [hit for hit in answer.points if name not in SPARSE_NAMES or hit.score > 0]
    if name == ATTRIBUTES:
        sums = certainty(np.array([hit.score for hit in hits], np.float32))
        return dict(zip((str(hit.id) for hit in hits), sums.tolist(), strict=True))
    return {str(hit.id): float(hit.score) for hit in hits}


def _asked(query: Query) -> dict[str, Any]:
    asked: dict[str, Any] = {name: vector.astype(np.float32).tolist() for name, vector in query.dense.items()}
    if query.words:
        asked[WORDS] = _sparse(dict.fromkeys(query.words, 1.0))
    if query.attributes:
        asked[ATTRIBUTES] = _sparse(dict.fromkeys(query.attributes, 1.0))
    return asked


def _sparse(weights: Mapping[str, float]) -> models.SparseVector:
    coded = {word_code(name): weight for name, weight in weights.items()}
    return models.SparseVector(indices=list(coded), values=list(coded.values()))


def word_code(word: str) -> int:
    """A word's dimension in the sparse vector: CRC-32; two words meet once in four thousand million."""
    return zlib.crc32(word.encode())


def _record(point: Point) -> models.PointStruct:
    document = payload_document(point.payload)
    parts = {part for plate in point.payload.plates for part in _substrings(plate)}
    if parts:
        document[_PARTS] = sorted(parts)
    if point.payload.lat is not None and point.payload.lon is not None:
        document[_PLACE] = {"lat": point.payload.lat, "lon": point.payload.lon}
    vector: dict[str, Any] = {name: v.astype(np.float32).tolist() for name, v in point.vectors.items()}
    if weights := word_weights(point.payload.text):
        vector[WORDS] = _sparse(weights)
    if point.payload.attributes:
        vector[ATTRIBUTES] = _sparse(point.payload.attributes)
        document["attributes"] = list(point.payload.attributes)
    return models.PointStruct(id=point.id, vector=vector, payload=document)


def _substrings(plate: str) -> set[str]:
    """Every part of a plate, so that part of a plate is found by a keyword index on any server version."""
    return {plate[start:end] for start in range(len(plate)) for end in range(start + 1, len(plate) + 1)}


def _filter(where: IndexFilter) -> models.Filter:
    """The filter in the server's words; `scope_areas == ()` is answered before anything is asked."""
    must: list[models.Condition] = []
    for field, values in (
        ("event_type", where.event_types),
        ("attributes", where.attributes),
        ("sure", where.sure),
        ("camera_id", where.camera_ids),
        ("area", where.areas),
        ("area", where.scope_areas or ()),
        (_PARTS, (where.plate,) if where.plate is not None else ()),
    ):
        if values:
            must.append(models.FieldCondition(key=field, match=models.MatchAny(any=list(values))))
    for field, bounds in (
        ("time_ms", models.Range(gte=where.time_from_ms, lt=where.time_to_ms)),
        ("severity", models.Range(gte=where.severity_min)),
        ("object_count", models.Range(gte=where.min_count)),
    ):
        if bounds.gte is not None or bounds.lt is not None:
            must.append(models.FieldCondition(key=field, range=bounds))
    if where.near is not None:
        centre = models.GeoPoint(lat=where.near.lat, lon=where.near.lon)
        disc = models.GeoRadius(center=centre, radius=where.near.radius_m)
        must.append(models.FieldCondition(key=_PLACE, geo_radius=disc))
    must_not: list[models.Condition] = []
    if where.sure_not:
        must_not.append(models.FieldCondition(key="sure", match=models.MatchAny(any=list(where.sure_not))))
    return models.Filter(must=must or None, must_not=must_not or None)


def _page(
    scores: Mapping[str, float], parts: Mapping[str, Scores], times: Mapping[str, int], limit: int, offset: int
) -> tuple[Hit, ...]:
    """The hits offset..offset+limit: best first, then newest, then by id."""
    order = sorted(scores, key=lambda point_id: (scores[point_id], times[point_id], point_id), reverse=True)
    return tuple(
        Hit(
            point_id,
            scores[point_id],
            {name: own[point_id] for name, own in parts.items() if point_id in own},
        )
        for point_id in order[offset : offset + limit]
    )


def _converted(error: Exception) -> UnavailableError:
    """The client's error as ours; never with the key, which stands only in request headers."""
    text = f"{type(error).__name__}: {error}"[:300]
    if "No space left" in text or ("disk" in text.lower() and "full" in text.lower()):
        return StorageFullError("The Qdrant server's disk is full.", action="Free some space there.")
    return UnavailableError(f"The Qdrant server did not do it: {text}.", action="Look at the server, then try again.")
