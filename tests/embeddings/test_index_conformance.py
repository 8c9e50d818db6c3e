"""The conformance suite of the vector index: every implementation does the same, test for test.

Implementations: Qdrant Edge with its own processes; a Qdrant server at MATPHO_TEST_QDRANT_URL, or else the client's
local mode, which runs the same code without a server.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient

from matpho_contracts.errors import BadInputError
from matpho_contracts.ids import new_event_id
from matpho_embeddings.index import IndexSettings, open_index
from matpho_embeddings.index.contract import (
    OBJECT,
    SCENE,
    TEXT,
    IndexFilter,
    Near,
    Payload,
    Point,
    Query,
    VectorIndex,
)
from matpho_embeddings.index.qdrant import QdrantServerIndex

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]

DIM = 24
START = 1_760_000_000_000
HOUR = 3_600_000
ENGINES = ("edge", "qdrant")


@asynccontextmanager
async def opened(engine: str, folder: Path, *, durable: bool = False) -> AsyncIterator[VectorIndex]:
    """An index of the kind, empty or as it was left in `folder`."""
    if engine == "edge":
        index = await open_index(IndexSettings(path=folder / "index", dim=DIM))
    else:
        url = os.environ.get("MATPHO_TEST_QDRANT_URL")
        name = f"test_{uuid.uuid5(uuid.NAMESPACE_URL, str(folder)).hex}"
        settings = IndexSettings(kind="qdrant", url=url or "http://127.0.0.1", dim=DIM, collection=name)
        if url:
            index = await open_index(settings)
        else:
            client = AsyncQdrantClient(path=str(folder)) if durable else AsyncQdrantClient(":memory:")
            index = await QdrantServerIndex.over(client, settings, payload_indexes=False)
    try:
        yield index
    finally:
        await index.close()


def unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values / np.linalg.norm(values, axis=-1, keepdims=True), np.float32)


class City:
    """Two thousand events of one day, with everything a filter can ask for."""

    def __init__(self, count: int = 2000) -> None:
        self.random = np.random.default_rng(7)
        self.scene = unit(self.random.standard_normal((count, DIM), dtype=np.float32))
        self.object = unit(self.random.standard_normal((count, DIM), dtype=np.float32))
        self.points = [self._point(number) for number in range(count)]
        self.by_id = {point.id: point for point in self.points}

    def _point(self, i: int) -> Point:
        label, colour = ("car", "truck", "person")[i % 3], ("red", "white", "black", "blue")[i % 4]
        certainty = (i % 9 + 1) / 10
        attributes = dict.fromkeys((label, f":{colour}", f"{label}:{colour}"), certainty)
        if i % 10 == 0:
            attributes |= dict.fromkeys(("bag", ":yellow", "bag:yellow"), 0.7)
        if i % 6 == 1:
            attributes |= dict.fromkeys((":grey", f"{label}:grey"), 0.2)
        payload = Payload(
            event_type=("crowd", "smoke", "fire", "collision", "intrusion")[i % 5],
            camera_id=f"cam-{i % 40}",
            area=f"area-{i % 8}",
            time_ms=START + i * 40_000,
            severity=i % 5,
            attributes=attributes,
            sure=tuple(name for name in attributes if not name.endswith("grey")),
            object_count=i % 13,
            plates=(f"30A{i:05d}",) if i % 4 == 0 else (),
            lat=21.0 + i * 1e-4 if i % 2 == 0 else None,
            lon=105.8 if i % 2 == 0 else None,
            zone="gate" if i % 7 == 0 else None,
            text=f"{label} {colour} so{i % 50}",
        )
        vectors = {SCENE: self.scene[i]} if i % 3 else {SCENE: self.scene[i], OBJECT: self.object[i]}
        return Point(new_event_id(payload.time_ms), vectors, payload)

    def query(self) -> NDArray[np.float32]:
        return unit(self.random.standard_normal(DIM, dtype=np.float32))


def fits(payload: Payload, where: IndexFilter) -> bool:
    """The filter's meaning, written a second time and as plainly as can be."""
    p, w = payload, where
    return (
        (not w.event_types or p.event_type in w.event_types)
        and (not w.attributes or bool(set(p.attributes) & set(w.attributes)))
        and (not w.sure or bool(set(p.sure) & set(w.sure)))
        and not set(p.sure) & set(w.sure_not)
        and (not w.camera_ids or p.camera_id in w.camera_ids)
        and (not w.areas or p.area in w.areas)
        and (w.scope_areas is None or p.area in w.scope_areas)
        and (w.time_from_ms is None or p.time_ms >= w.time_from_ms)
        and (w.time_to_ms is None or p.time_ms < w.time_to_ms)
        and (w.severity_min is None or p.severity >= w.severity_min)
        and (w.min_count is None or p.object_count >= w.min_count)
        and (w.plate is None or any(w.plate in plate for plate in p.plates))
        and (w.near is None or _within(p, w.near))
    )


def _within(payload: Payload, near: Near) -> bool:
    if payload.lat is None or payload.lon is None:
        return False
    north = np.radians(payload.lat - near.lat) * 6_371_008.8
    east = np.radians(payload.lon - near.lon) * 6_371_008.8 * np.cos(np.radians(near.lat))
    return float(np.hypot(north, east)) <= near.radius_m


FILTERS = {
    "everything": IndexFilter(),
    "type": IndexFilter(event_types=("fire",)),
    "types": IndexFilter(event_types=("fire", "smoke")),
    "class": IndexFilter(attributes=("truck",)),
    "classes": IndexFilter(attributes=("bag", "person")),
    "not a class": IndexFilter(sure_not=("car",)),
    "not classes": IndexFilter(attributes=("person", "truck"), sure_not=("bag",)),
    "colour": IndexFilter(attributes=(":yellow",)),
    "colour of a class": IndexFilter(attributes=("truck:red",)),
    "possible": IndexFilter(attributes=("truck:grey",)),
    "possible but not sure": IndexFilter(attributes=("truck:grey",), sure=("truck:white", "truck:blue")),
    "camera": IndexFilter(camera_ids=("cam-3", "cam-39")),
    "area": IndexFilter(areas=("area-5",)),
    "scope": IndexFilter(scope_areas=("area-1", "area-2")),
    "scope and area": IndexFilter(scope_areas=("area-1", "area-2"), areas=("area-2", "area-3")),
    "area out of scope": IndexFilter(scope_areas=("area-1",), areas=("area-2",)),
    "no scope": IndexFilter(scope_areas=()),
    "from": IndexFilter(time_from_ms=START + 20 * HOUR),
    "to": IndexFilter(time_to_ms=START + HOUR),
    "half open": IndexFilter(time_from_ms=START + 400_000, time_to_ms=START + 800_000),
    "severity": IndexFilter(severity_min=4),
    "count": IndexFilter(min_count=12),
    "whole plate": IndexFilter(plate="30A00044"),
    "part of a plate": IndexFilter(plate="0004"),
    "near": IndexFilter(near=Near(21.05, 105.8, 500.0)),
    "unknown": IndexFilter(event_types=("flooding",)),
    "all together": IndexFilter(
        event_types=("crowd", "fire"),
        attributes=("truck:red", "truck:black", "car:red", "car:black"),
        sure_not=("bag",),
        scope_areas=("area-2", "area-4", "area-6"),
        time_from_ms=START + 2 * HOUR,
        time_to_ms=START + 20 * HOUR,
        severity_min=0,
        min_count=2,
        near=Near(21.1, 105.8, 9_000.0),
    ),
}


@pytest.fixture(scope="module")
def city() -> City:
    return City()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=ENGINES)
async def full(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, city: City
) -> AsyncIterator[VectorIndex]:
    """An index with the whole city in it; tests leave it as it is."""
    async with opened(request.param, tmp_path_factory.mktemp(request.param)) as index:
        await index.upsert(city.points)
        yield index


@pytest_asyncio.fixture(loop_scope="module", params=ENGINES)
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorIndex]:
    """An empty index for tests that write."""
    async with opened(request.param, tmp_path) as index:
        yield index


def best(vectors: Sequence[tuple[str, NDArray[np.float32]]], query: NDArray[np.float32], k: int) -> list[str]:
    """Brute force: the ids of the k largest dot products."""
    scores = np.stack([vector for _, vector in vectors]) @ query
    return [vectors[i][0] for i in np.argsort(-scores, kind="stable")[:k]]


class TestFilters:
    @pytest.mark.parametrize("name", FILTERS)
    async def test_the_filter_keeps_exactly_what_fits(self, full: VectorIndex, city: City, name: str) -> None:
        where = FILTERS[name]
        expected = {point.id for point in city.points if fits(point.payload, where)}
        found = await full.search(Query(), where, limit=1000)
        assert found.total == len(expected) == await full.count(where)
        assert len(found.hits) == min(1000, len(expected))
        assert {hit.id for hit in found.hits} <= expected

    async def test_every_filter_but_two_leaves_something(self, city: City) -> None:
        nothing = [n for n, where in FILTERS.items() if not any(fits(p.payload, where) for p in city.points)]
        assert nothing == ["area out of scope", "no scope", "unknown"]

    async def test_a_rare_match_far_from_the_query_is_found(self, full: VectorIndex, city: City) -> None:
        rare = city.points[1234]
        where = IndexFilter(camera_ids=(rare.payload.camera_id,), time_from_ms=rare.payload.time_ms,
                            time_to_ms=rare.payload.time_ms + 1)  # fmt: skip
        found = await full.search(Query({SCENE: -rare.vectors[SCENE]}), where, limit=5)
        assert [hit.id for hit in found.hits] == [rare.id]
        assert found.hits[0].score == pytest.approx(-1.0, abs=1e-4)

    async def test_no_scope_finds_nothing_whatever_is_asked(self, full: VectorIndex, city: City) -> None:
        found = await full.search(Query({SCENE: city.query()}, ("car",)), IndexFilter(scope_areas=()), limit=5)
        assert (found.total, list(found.hits)) == (0, [])


class TestRanking:
    @pytest.mark.parametrize("share", [1.0, 0.1, 0.01, 0.001])
    async def test_recall_is_one_at_every_selectivity(self, full: VectorIndex, city: City, share: float) -> None:
        until = START + int(len(city.points) * 40_000 * share)
        where = IndexFilter(time_to_ms=until)
        inside = [(p.id, p.vectors[SCENE]) for p in city.points if p.payload.time_ms < until]
        for _ in range(5):
            query = city.query()
            found = await full.search(Query({SCENE: query}), where, limit=20)
            assert [hit.id for hit in found.hits] == best(inside, query, 20)
            assert found.exact
            assert all(hit.parts == {SCENE: hit.score} for hit in found.hits)

    async def test_points_without_the_vector_take_no_part(self, full: VectorIndex, city: City) -> None:
        inside = [(p.id, p.vectors[OBJECT]) for p in city.points if OBJECT in p.vectors]
        query = city.query()
        found = await full.search(Query({OBJECT: query}), IndexFilter(), limit=10)
        assert [hit.id for hit in found.hits] == best(inside, query, 10)
        assert found.total == len(city.points)

    async def test_a_vector_nobody_has_finds_nothing(self, full: VectorIndex, city: City) -> None:
        found = await full.search(Query({TEXT: city.query()}), IndexFilter(), limit=10)
        assert (found.total, list(found.hits)) == (len(city.points), [])

    async def test_nothing_asked_is_newest_first(self, full: VectorIndex, city: City) -> None:
        found = await full.search(Query(), IndexFilter(attributes=("car",)), limit=7, offset=3)
        cars = [p for p in city.points if "car" in p.payload.attributes]
        newest = sorted(cars, key=lambda p: (p.payload.time_ms, p.id), reverse=True)
        assert [hit.id for hit in found.hits] == [p.id for p in newest[3:10]]

    async def test_pages_are_stable_and_disjoint(self, full: VectorIndex, city: City) -> None:
        for query in (Query({SCENE: city.query()}), Query({SCENE: city.query(), OBJECT: city.query()}, ("red",))):
            whole = await full.search(query, IndexFilter(), limit=60)
            pages = [await full.search(query, IndexFilter(), limit=20, offset=at) for at in (0, 20, 40)]
            assert [hit.id for page in pages for hit in page.hits] == [hit.id for hit in whole.hits]
            assert len({hit.id for hit in whole.hits}) == 60

    async def test_several_parts_are_fused_and_reported(self, full: VectorIndex, city: City) -> None:
        target = city.points[900]
        query = Query({SCENE: target.vectors[SCENE], OBJECT: target.vectors[OBJECT]}, ("so0",))
        first, *rest = (await full.search(query, IndexFilter(), limit=10)).hits
        assert first.id == target.id
        assert first.score == pytest.approx(1.0, abs=1e-3)
        assert set(first.parts) == {SCENE, OBJECT, "words"}
        assert all(0 <= hit.score <= first.score for hit in rest)


class TestAttributes:
    @staticmethod
    def query(*names: str) -> tuple[Query, IndexFilter]:
        return Query(attributes=names), IndexFilter(attributes=names)

    async def test_the_most_certain_come_first_then_the_newest(self, full: VectorIndex, city: City) -> None:
        query, where = self.query("truck:white")
        found = await full.search(query, where, limit=50, offset=10)
        fitting = [p for p in city.points if "truck:white" in p.payload.attributes]
        order = sorted(fitting, key=lambda p: (p.payload.attributes["truck:white"], p.payload.time_ms), reverse=True)
        assert [round(hit.score, 5) for hit in found.hits] == [
            p.payload.attributes["truck:white"] for p in order[10:60]
        ]
        assert all(hit.parts == {"attributes": hit.score} for hit in found.hits)

    async def test_any_of_several_is_as_certain_as_all_of_them_together_but_never_more_than_sure(
        self, full: VectorIndex, city: City
    ) -> None:
        query, where = self.query("car:red", "car:grey", "bag:yellow")
        found = await full.search(query, where, limit=1000)
        for hit in found.hits:
            held = city.by_id[hit.id].payload.attributes
            wanted = sum(held.get(name, 0.0) for name in query.attributes)
            assert hit.score == pytest.approx(min(1.0, wanted), abs=1e-5)
        assert max(hit.score for hit in found.hits) == 1.0

    async def test_a_picture_decides_between_equals(self, full: VectorIndex, city: City) -> None:
        target = next(p for p in city.points[1000:] if "car:red" in p.payload.attributes and OBJECT in p.vectors)
        certainty = target.payload.attributes["car:red"]
        query = Query({OBJECT: target.vectors[OBJECT]}, attributes=("car:red",))
        found = await full.search(query, IndexFilter(attributes=("car:red",)), limit=1000)
        equals = [h.id for h in found.hits if city.by_id[h.id].payload.attributes["car:red"] == certainty]
        assert equals[0] == target.id

    async def test_deep_pages_of_a_fused_ranking_go_on_to_the_end(self, full: VectorIndex, city: City) -> None:
        query = Query({SCENE: city.query()}, attributes=("car",))
        where = IndexFilter(attributes=("car",))
        total = await full.count(where)
        assert total > 2 * 256
        last = await full.search(query, where, limit=20, offset=total - 10)
        assert len(last.hits) == 10


class TestWords:
    async def test_the_rarer_word_ranks_higher(self, full: VectorIndex, city: City) -> None:
        found = await full.search(Query(words=("car", "so7")), IndexFilter(), limit=60)
        texts = [city.by_id[hit.id].payload.text.split() for hit in found.hits]
        both = [i for i, text in enumerate(texts) if "car" in text and "so7" in text]
        number_only = [i for i, text in enumerate(texts) if "so7" in text and "car" not in text]
        word_only = [i for i, text in enumerate(texts) if "so7" not in text]
        assert both
        assert number_only
        assert word_only
        assert max(both) < min(number_only)
        assert max(number_only) < min(word_only)

    async def test_words_nobody_wrote_find_nothing(self, full: VectorIndex, city: City) -> None:
        found = await full.search(Query(words=("khong",)), IndexFilter(), limit=5)
        assert (found.total, list(found.hits)) == (len(city.points), [])

    async def test_words_are_looked_for_inside_the_filter(self, full: VectorIndex, city: City) -> None:
        found = await full.search(Query(words=("red",)), IndexFilter(attributes=("truck",)), limit=300)
        expected = [p.id for p in city.points if "red" in p.payload.text.split() and "truck" in p.payload.attributes]
        assert sorted(hit.id for hit in found.hits) == sorted(expected)

    async def test_a_longer_text_counts_less_and_a_repeated_word_more(self, empty: VectorIndex) -> None:
        base = Payload("fire", "cam", "area", START, 1)
        texts = {"short": "khoi den", "long": "khoi den " + "a b c d e f g h " * 4, "twice": "khoi khoi"}
        ids = {name: new_event_id(START + i) for i, name in enumerate(texts)}
        await empty.upsert([Point(ids[name], {}, replace(base, text=text)) for name, text in texts.items()])
        found = await empty.search(Query(words=("khoi",)), IndexFilter(), limit=5)
        assert [hit.id for hit in found.hits] == [ids["twice"], ids["short"], ids["long"]]


class TestWriting:
    async def test_a_point_is_there_when_upsert_returns(self, empty: VectorIndex, city: City) -> None:
        for point in city.points[:3]:
            await empty.upsert([point])
            found = await empty.search(Query({SCENE: point.vectors[SCENE]}), IndexFilter(), limit=1)
            assert found.hits[0].id == point.id

    async def test_vectors_come_back(self, full: VectorIndex, city: City) -> None:
        held = await full.vectors(city.points[3].id)
        assert held is not None
        assert set(held) == {SCENE, OBJECT}
        np.testing.assert_allclose(held[SCENE], city.scene[3], atol=1e-6)
        assert held[SCENE].dtype == np.float32
        assert await full.vectors(new_event_id()) is None

    async def test_a_replaced_point_is_found_as_it_is_now_only(self, empty: VectorIndex, city: City) -> None:
        await empty.upsert(city.points[:30])
        old = city.points[4]
        new = Point(
            old.id,
            {SCENE: -old.vectors[SCENE]},
            replace(old.payload, event_type="flooding", attributes={"bus": 1.0}, sure=("bus",)),
        )
        await empty.upsert([new])
        assert await empty.count(IndexFilter()) == 30
        assert await empty.count(IndexFilter(attributes=("bus",))) == 1
        assert await empty.count(IndexFilter(event_types=(old.payload.event_type,))) == 5
        found = await empty.search(Query({SCENE: old.vectors[SCENE]}), IndexFilter(), limit=30)
        assert [hit.id for hit in found.hits].count(old.id) == 1
        assert found.hits[-1].id == old.id

    async def test_the_same_id_twice_in_one_call_is_the_last(self, empty: VectorIndex, city: City) -> None:
        one = city.points[0]
        await empty.upsert([one, replace(one, payload=replace(one.payload, area="elsewhere"))])
        assert await empty.count(IndexFilter()) == await empty.count(IndexFilter(areas=("elsewhere",))) == 1

    async def test_a_deleted_point_is_gone(self, empty: VectorIndex, city: City) -> None:
        await empty.upsert(city.points[:10])
        gone = city.points[6]
        await empty.delete([gone.id, new_event_id()])
        found = await empty.search(Query({SCENE: gone.vectors[SCENE]}), IndexFilter(), limit=10)
        assert gone.id not in {hit.id for hit in found.hits}
        assert found.total == len(found.hits) == 9
        assert await empty.vectors(gone.id) is None

    @pytest.mark.parametrize("engine", ENGINES)
    async def test_points_outlive_a_restart(self, engine: str, tmp_path: Path, city: City) -> None:
        async with opened(engine, tmp_path, durable=True) as index:
            await index.upsert(city.points[:100])
            await index.delete([city.points[0].id])
        async with opened(engine, tmp_path, durable=True) as index:
            assert await index.count(IndexFilter()) == 99
            query = Query({SCENE: city.scene[5], OBJECT: city.object[6]}, ("red", "so5"))
            found = await index.search(query, FILTERS["types"], limit=5)
            expected = [p for p in city.points[1:100] if fits(p.payload, FILTERS["types"])]
            assert found.total == len(expected)


class TestRefusals:
    @pytest.mark.parametrize(
        "vector",
        [
            np.full(DIM, np.nan, np.float32),
            np.zeros(DIM, np.float32),
            np.full(DIM, np.inf, np.float32),
            np.ones(DIM, np.float32),
            np.eye(1, DIM + 1, dtype=np.float32)[0],
            np.eye(2, DIM, dtype=np.float32),
        ],
        ids=["NaN", "zeros", "infinity", "not unit", "wrong size", "matrix"],
    )
    async def test_a_bad_vector_is_refused_and_nothing_written(
        self, full: VectorIndex, city: City, vector: NDArray[np.float32]
    ) -> None:
        fresh = replace(city.points[0], id=new_event_id())
        with pytest.raises(BadInputError):
            await full.upsert([fresh, Point(new_event_id(), {SCENE: vector}, fresh.payload)])
        with pytest.raises(BadInputError):
            await full.search(Query({SCENE: vector}), IndexFilter(), limit=5)
        assert await full.count(IndexFilter()) == len(city.points)

    @pytest.mark.parametrize(
        "change",
        [
            {"id": "not-an-id"},
            {"vectors": {"smell": np.eye(1, DIM, dtype=np.float32)[0]}},
            {"payload": Payload("fire", "", "area", START, 1)},
            {"payload": Payload("fire", "cam", "area", -1, 1)},
            {"payload": Payload("fire", "cam", "area", START, 9)},
            {"payload": Payload("fire", "cam", "area", START, 1, lat=91.0, lon=0.0)},
            {"payload": Payload("fire", "cam", "area", START, 1, lat=21.0)},
            {"payload": Payload("fire", "cam", "area", START, 1, sure=("x",) * 1025)},
            {"payload": Payload("fire", "cam", "area", START, 1, attributes={"car": 1.5})},
            {"payload": Payload("fire", "cam", "area", START, 1, attributes={"car": float("nan")})},
            {"payload": Payload("fire", "cam", "area", START, 1, attributes={"car": 0.0})},
            {"payload": Payload("fire", "cam", "area", START, 1, text="x" * 10_000)},
        ],
        ids=[
            "id",
            "name",
            "camera",
            "time",
            "severity",
            "place",
            "half a place",
            "many",
            "too sure",
            "nan",
            "no certainty",
            "text",
        ],
    )
    async def test_a_bad_point_is_refused(self, full: VectorIndex, city: City, change: dict[str, object]) -> None:
        with pytest.raises(BadInputError):
            await full.upsert([replace(replace(city.points[0], id=new_event_id()), **change)])
        assert await full.count(IndexFilter()) == len(city.points)

    @pytest.mark.parametrize(("limit", "offset"), [(0, 0), (1001, 0), (5, -1), (1000, 9_500)])
    async def test_absurd_pages_are_refused(self, full: VectorIndex, city: City, limit: int, offset: int) -> None:
        with pytest.raises(BadInputError):
            await full.search(Query({SCENE: city.query()}), IndexFilter(), limit=limit, offset=offset)

    async def test_absurd_filters_are_refused(self, full: VectorIndex) -> None:
        for where in (
            IndexFilter(near=Near(21.0, 105.0, float("nan"))),
            IndexFilter(near=Near(121.0, 105.0, 5.0)),
            IndexFilter(plate=""),
            IndexFilter(attributes=("x" * 500,)),
            IndexFilter(time_from_ms=10**30),
        ):
            with pytest.raises(BadInputError):
                await full.count(where)
