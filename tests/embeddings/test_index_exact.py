"""The exact index by itself: certified recall through int8, a filter that leaves nothing out, growth under readers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from matpho_contracts.ids import new_event_id
from matpho_embeddings.index._internal.exact import ExactIndex
from matpho_embeddings.index._internal.kernels import dot_int8, dot_int8_rows, kth_largest_floor
from matpho_embeddings.index._internal.matrix import VectorColumn
from matpho_embeddings.index.contract import SCENE, TEXT, IndexFilter, Payload, Point, Query

DIM = 64
COUNT = 12_000
START = 1_760_000_000_000


def unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values / np.linalg.norm(values, axis=-1, keepdims=True), np.float32)


class Crowd:
    """Twelve thousand points in tight clusters: neighbours differ by less than int8 can tell."""

    def __init__(self, folder: Path) -> None:
        random = np.random.default_rng(3)
        middles = unit(random.standard_normal((40, DIM), dtype=np.float32))
        self.vectors = unit(
            middles[random.integers(40, size=COUNT)] + 0.02 * random.standard_normal((COUNT, DIM), dtype=np.float32)
        )
        self.queries = unit(middles[:10] + 0.02 * random.standard_normal((10, DIM), dtype=np.float32))
        self.points = [
            Point(new_event_id(START + i), {SCENE: v}, Payload("fire", f"cam-{i % 100}", "area", START + i, i % 5))
            for i, v in enumerate(self.vectors)
        ]
        self.index = ExactIndex(folder, DIM)
        for start in range(0, COUNT, 1000):
            self.index.reserve(1000)
            self.index.write(self.points[start : start + 1000])


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    made = Crowd(tmp_path_factory.mktemp("exact"))
    yield made
    made.index.close()


class TestRecall:
    @pytest.mark.parametrize("cameras", [100, 50, 40, 10], ids=["all", "scanned", "gathered", "few"])
    @pytest.mark.parametrize("k", [1, 20, 200])
    def test_the_int8_scan_loses_nothing_even_among_near_equals(self, crowd: Crowd, cameras: int, k: int) -> None:
        where = IndexFilter() if cameras == 100 else IndexFilter(camera_ids=tuple(f"cam-{i}" for i in range(cameras)))
        inside = np.flatnonzero(np.arange(COUNT) % 100 < cameras)
        for query in crowd.queries:
            found = crowd.index.search(Query({SCENE: query}), where, k, 0)
            scores = crowd.vectors[inside] @ query
            worst = np.partition(scores, len(scores) - k)[len(scores) - k]
            assert found.total == len(inside)
            assert [hit.score for hit in found.hits] == pytest.approx(sorted(scores)[::-1][:k], abs=1e-6)
            assert found.hits[-1].score == pytest.approx(float(worst), abs=1e-6)

    def test_without_the_error_bound_it_would_lose_some(self, crowd: Crowd, tmp_path: Path) -> None:
        column = VectorColumn(tmp_path, SCENE, DIM)
        column.reserve(COUNT)
        column.write(np.arange(COUNT), crowd.vectors)
        lost = 0
        for query in crowd.queries:
            step = np.abs(query).max() / np.float32(127)
            rough = column._scan(np.rint(query / step).astype(np.int8), np.arange(COUNT))
            lost += len(set(np.argsort(-rough)[:20]) - set(np.argsort(-(crowd.vectors @ query))[:20]))
        column.close()
        assert lost > 0

    def test_parts_are_compared_in_float32(self, crowd: Crowd) -> None:
        query = crowd.queries[0]
        for hit in crowd.index.search(Query({SCENE: query}), IndexFilter(), 5, 0).hits:
            own = crowd.index.vectors(hit.id)
            assert own is not None
            assert hit.parts[SCENE] == pytest.approx(float(own[SCENE] @ query), abs=1e-6)


class TestKernels:
    def test_int8_products_are_right(self) -> None:
        random = np.random.default_rng(0)
        matrix = random.integers(-127, 128, (5000, DIM)).astype(np.int8)
        query = random.integers(-127, 128, DIM).astype(np.int8)
        expected = matrix.astype(np.int64) @ query.astype(np.int64)
        np.testing.assert_array_equal(dot_int8(query, matrix), expected)
        rows = np.flatnonzero(random.random(5000) < 0.9)
        np.testing.assert_array_equal(dot_int8_rows(query, matrix, rows), expected[rows])
        assert dot_int8(query, matrix[:0]).shape == (0,)

    @pytest.mark.parametrize("k", [1, 3, 20, 4999, 5000, 5001, 0])
    def test_the_floor_is_reached_by_k_values(self, k: int) -> None:
        values = np.random.default_rng(k).standard_normal(5000).astype(np.float32)
        floor = kth_largest_floor(values, k)
        assert floor == (sorted(values)[-k] if 0 < k <= 5000 else -np.inf)


class TestChanges:
    def test_a_reader_sees_every_point_once_while_it_is_replaced(self, tmp_path: Path) -> None:
        index = ExactIndex(tmp_path, DIM)
        vector = np.eye(1, DIM, dtype=np.float32)[0]
        points = [
            Point(new_event_id(START + i), {SCENE: vector}, Payload("fire", "c", "a", START, 1)) for i in range(20)
        ]
        index.reserve(20)
        index.write(points)
        done, wrong = threading.Event(), []

        def read() -> None:
            while not done.is_set():
                found = index.search(Query({SCENE: vector}), IndexFilter(), 50, 0)
                if len({hit.id for hit in found.hits}) != 20 or found.total != 20:
                    wrong.append(found)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for _ in range(300):
            index.reserve(20)
            index.write(points)
        done.set()
        for reader in readers:
            reader.join()
        index.close()
        assert not wrong
        assert index.n == 20 * 301

    def test_a_point_without_the_vector_is_no_hit_whatever_was_written_before(self, tmp_path: Path) -> None:
        index = ExactIndex(tmp_path, DIM)
        vector = np.eye(1, DIM, dtype=np.float32)[0]
        payload = Payload("fire", "c", "a", START, 1)
        bare, full = Point(new_event_id(), {}, payload), Point(new_event_id(), {TEXT: vector}, payload)
        for point in (bare, full, Point(new_event_id(), {SCENE: vector}, payload)):
            index.reserve(1)
            index.write([point])
        found = index.search(Query({TEXT: -vector}), IndexFilter(), 10, 0)
        assert [hit.id for hit in found.hits] == [full.id]
        index.close()

    def test_rows_out_of_order_in_time_are_found_in_their_time(self, tmp_path: Path) -> None:
        index = ExactIndex(tmp_path, DIM)
        times = np.random.default_rng(1).permutation(20_000)
        points = [Point(new_event_id(), {}, Payload("fire", "c", "a", START + int(t), 1)) for t in times]
        index.reserve(len(points))
        index.write(points)
        for low, high in ((0, 10), (5_000, 5_500), (19_990, 30_000)):
            assert (
                index.count(IndexFilter(time_from_ms=START + low, time_to_ms=START + high)) == min(high, 20_000) - low
            )
        newest = index.search(Query(), IndexFilter(), 3, 0).hits
        by_id = {point.id: point.payload.time_ms for point in points}
        assert [by_id[hit.id] for hit in newest] == [START + 19_999, START + 19_998, START + 19_997]
        index.close()

    def test_many_distinct_plates_are_searched_by_any_part(self, tmp_path: Path) -> None:
        index = ExactIndex(tmp_path, DIM)
        points = [
            Point(new_event_id(), {}, Payload("fire", "c", "a", START, 1, plates=(f"30A{i:05d}",))) for i in range(9000)
        ]
        index.reserve(len(points))
        index.write(points)
        assert index.count(IndexFilter(plate="30A00042")) == 1
        assert index.count(IndexFilter(plate="0899")) == 11
        assert index.count(IndexFilter(plate="\n")) == 0
        index.close()
