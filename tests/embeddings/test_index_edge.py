"""What only the index on one machine has: crashes survived, one owner, a full disk refused, searches never held up."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from matpho_contracts.errors import ConfigurationError, MatphoError, StorageFullError, UnavailableError
from matpho_contracts.ids import new_event_id
from matpho_embeddings.index import IndexSettings
from matpho_embeddings.index import edge as edge_module
from matpho_embeddings.index._internal import shard as shard_module
from matpho_embeddings.index._internal.shard import Shard
from matpho_embeddings.index.contract import SCENE, IndexFilter, Payload, Point, Query
from matpho_embeddings.index.edge import EdgeIndex

DIM = 16
START = 1_760_000_000_000
PAYLOAD = Payload("fire", "cam-1", "area-1", START, 2, attributes={"car": 1.0}, text="xe do")


def point(number: int) -> Point:
    vector = np.random.default_rng(number).standard_normal(DIM, dtype=np.float32)
    return Point(
        new_event_id(START + number), {SCENE: vector / np.linalg.norm(vector)}, replace(PAYLOAD, time_ms=START + number)
    )


@asynccontextmanager
async def edge(folder: Path, **settings: int) -> AsyncIterator[EdgeIndex]:
    index = await EdgeIndex.open(IndexSettings(path=folder, dim=DIM, **settings))
    try:
        yield index
    finally:
        await index.close()


def keeper_of(index: EdgeIndex) -> psutil.Process:
    assert index.process_id is not None
    (keeper,) = psutil.Process(index.process_id).children()
    return keeper


@asynccontextmanager
async def small_disk(folder: Path, size: str) -> AsyncIterator[Path]:
    """A file system of that size; skips the test where none may be mounted."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = await asyncio.create_subprocess_exec(
        "mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk), stderr=subprocess.DEVNULL
    )
    if await mounted.wait() != 0:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield disk
    finally:
        unmounted = await asyncio.create_subprocess_exec("umount", str(disk))
        assert await unmounted.wait() == 0


async def write_until_refused(index: EdgeIndex, first: int) -> None:
    for start in range(first, 400_000, 500):
        await index.upsert([point(number) for number in range(start, start + 500)])


async def kill_and_ask(index: EdgeIndex, times: int) -> None:
    for _ in range(times):
        if index.process_id is not None:
            with suppress(ProcessLookupError):
                os.kill(index.process_id, signal.SIGKILL)
        await index.count(IndexFilter())


class TestCrashes:
    @pytest.mark.parametrize("victim", ["search process", "keeper"])
    async def test_no_acknowledged_point_is_lost(self, tmp_path: Path, victim: str) -> None:
        async with edge(tmp_path) as index:
            acknowledged: list[Point] = []
            reached = {30: asyncio.Event(), 80: asyncio.Event()}

            async def write() -> None:
                for number in range(120):
                    fresh = point(number)
                    await index.upsert([fresh])
                    acknowledged.append(fresh)
                    if number in reached:
                        reached[number].set()

            writing = asyncio.create_task(write())
            for event in reached.values():
                await event.wait()
                process = keeper_of(index).pid if victim == "keeper" else index.process_id
                assert process is not None
                os.kill(process, signal.SIGKILL)
            await writing
            assert await index.count(IndexFilter()) == 120
            for known in acknowledged[::7]:
                held = await index.vectors(known.id)
                assert held is not None
                np.testing.assert_allclose(held[SCENE], known.vectors[SCENE], atol=1e-6)

    async def test_a_killed_owner_loses_nothing_and_leaves_no_process(self, tmp_path: Path) -> None:
        script = (
            "import asyncio, sys\n"
            "from test_index_edge import edge, point\n"
            "from pathlib import Path\n"
            "async def main():\n"
            "    async with edge(Path(sys.argv[1])) as index:\n"
            "        for number in range(50):\n"
            "            await index.upsert([point(number)])\n"
            "        print(index.process_id, flush=True)\n"
            "        await asyncio.sleep(60)\n"
            "asyncio.run(main())\n"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
        owner = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, str(tmp_path), stdout=subprocess.PIPE, env=environment
        )
        assert owner.stdout is not None
        server = psutil.Process(int(await owner.stdout.readline()))
        owner.kill()
        await owner.wait()
        async with edge(tmp_path) as index:
            assert await index.count(IndexFilter()) == 50
        await asyncio.to_thread(psutil.wait_procs, [server], 20)
        assert not server.is_running()

    async def test_searches_asked_during_a_crash_are_answered(self, tmp_path: Path) -> None:
        async with edge(tmp_path) as index:
            await index.upsert([point(number) for number in range(20)])
            assert index.process_id is not None
            os.kill(index.process_id, signal.SIGKILL)
            found = await asyncio.gather(*(index.search(Query(), IndexFilter(), limit=5) for _ in range(10)))
            assert all(page.total == 20 for page in found)

    async def test_what_a_killed_tidying_left_is_cleared_away(self, tmp_path: Path) -> None:
        async with edge(tmp_path) as index:
            await index.upsert([point(1)])
        leaked = tmp_path / "shard" / "temp_segments" / "half" / "vectors.mmap"
        leaked.parent.mkdir(parents=True)
        leaked.write_bytes(b"x" * 4096)
        async with edge(tmp_path) as index:
            assert await index.count(IndexFilter()) == 1
            assert not leaked.exists()

    async def test_a_process_that_keeps_failing_is_given_up(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(edge_module, "RESTARTS", 2)
        async with edge(tmp_path) as index:
            with pytest.raises(UnavailableError, match="too often"):
                await kill_and_ask(index, 5)


class TestOwning:
    async def test_a_second_owner_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(shard_module, "OPEN_WAIT_S", 0.2)
        async with edge(tmp_path):
            with pytest.raises(ConfigurationError, match="in use"):
                await asyncio.to_thread(Shard, tmp_path, DIM, 0)

    async def test_other_vectors_are_refused(self, tmp_path: Path) -> None:
        async with edge(tmp_path):
            pass
        with pytest.raises(ConfigurationError, match="'dim': 16"):
            await EdgeIndex.open(IndexSettings(path=tmp_path, dim=DIM + 1))

    async def test_a_closed_index_says_so(self, tmp_path: Path) -> None:
        async with edge(tmp_path) as index:
            pass
        with pytest.raises(UnavailableError, match="closed"):
            await index.count(IndexFilter())

    async def test_a_folder_that_cannot_be_is_an_error_for_people(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(MatphoError):
            await EdgeIndex.open(IndexSettings(path=tmp_path / "file" / "index", dim=DIM))

    async def test_the_process_ends_with_the_index(self, tmp_path: Path) -> None:
        async with edge(tmp_path) as index:
            assert index.process_id is not None
            processes = [psutil.Process(index.process_id), keeper_of(index)]
        assert not any(process.is_running() for process in processes)


class TestFullDisk:
    async def test_below_the_reserve_a_write_is_refused_whole(self, tmp_path: Path) -> None:
        async with edge(tmp_path) as index:
            await index.upsert([point(1)])
        async with edge(tmp_path, reserve_bytes=1 << 60) as index:
            with pytest.raises(StorageFullError, match="reserve"):
                await index.upsert([point(2), point(3)])
            assert await index.count(IndexFilter()) == 1
            assert (await index.search(Query(), IndexFilter(), limit=5)).total == 1
            await index.delete([(await index.search(Query(), IndexFilter(), limit=1)).hits[0].id])
            assert await index.count(IndexFilter()) == 0

    async def test_writing_stops_at_the_reserve_and_goes_on_when_there_is_room(self, tmp_path: Path) -> None:
        async with small_disk(tmp_path, "200m") as disk, edge(disk / "index", reserve_bytes=48 << 20) as index:
            await index.upsert([point(0)])
            with (disk / "filler").open("wb") as filler:
                filler.write(bytes(shutil.disk_usage(disk).free - (52 << 20)))
            with pytest.raises(StorageFullError):
                await write_until_refused(index, 0)
            written = await index.count(IndexFilter())
            assert written > 500
            (disk / "filler").unlink()
            await index.upsert([point(1_000_000)])
            assert await index.count(IndexFilter()) == written + 1

    async def test_a_disk_that_somebody_else_fills_costs_no_acknowledged_point(self, tmp_path: Path) -> None:
        async with small_disk(tmp_path, "150m") as disk:
            async with edge(disk / "index", reserve_bytes=0) as index:
                await index.upsert([point(number) for number in range(500)])
                with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
                    while True:
                        filler.write(b"\0" * 65_536)
                with pytest.raises(StorageFullError):
                    await write_until_refused(index, 500)
                (disk / "filler").unlink()
                assert await index.count(IndexFilter()) >= 500
                await index.upsert([point(50_000)])
            async with edge(disk / "index", reserve_bytes=0) as index:
                assert await index.count(IndexFilter()) >= 501


class TestManyCallers:
    async def test_searches_and_writes_overlap_and_each_sees_a_whole_state(self, tmp_path: Path) -> None:
        async with edge(tmp_path) as index:
            changing = [replace(point(number), id=new_event_id(START + number)) for number in range(64)]
            await index.upsert(changing)
            done = asyncio.Event()

            async def search() -> int:
                searches = 0
                while not done.is_set():
                    found = await index.search(Query({SCENE: changing[0].vectors[SCENE]}), IndexFilter(), limit=100)
                    assert found.total == len(found.hits) == len({hit.id for hit in found.hits}) == 64
                    searches += 1
                return searches

            searching = [asyncio.create_task(search()) for _ in range(4)]
            for turn in range(30):
                await index.upsert([replace(p, payload=replace(p.payload, severity=turn % 5)) for p in changing])
            done.set()
            assert min(await asyncio.gather(*searching)) > 0

    async def test_dead_rows_are_cleared_in_the_end(self, tmp_path: Path) -> None:
        async with edge(tmp_path) as index:
            points = [point(number) for number in range(1800)]
            for _ in range(4):
                await index.upsert(points)
            found = await index.search(Query(), IndexFilter(), limit=1000)
            assert found.total == 1800
            generations = sorted(path.name for path in (tmp_path / "exact").iterdir())
            assert generations != ["1"]
            assert len(generations) == 1
