"""Snapshots and clips: asked of the box, checked, cached within a quota, and honest when the box is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from matpho_contracts.edge_api import CommandFailure
from matpho_contracts.errors import StorageFullError
from matpho_contracts.times import now
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.errors import CameraNotFoundError, CommandFailedError, EdgeSilentError, QueueFullError
from matpho_platform.center import Center
from matpho_platform.events.errors import EventNotFoundError
from matpho_platform.media.clips import ClipCache
from matpho_platform.media.errors import ClipError, ClipNotFoundError, PictureError
from matpho_platform.media.pictures import check_jpeg, decode_jpeg
from matpho_platform.media.service import MediaService
from matpho_platform.media.videos import check_clip
from matpho_platform.store.tables import edges

EVERYWHERE = Scope(None)
Answer = bytes | CommandFailure
Serve = Callable[[Answer], Awaitable[list[str]]]


@pytest.fixture
async def serve(center: Center, box: Any) -> AsyncIterator[Serve]:
    """A box that answers everything with the given bytes; the list fills with what it was asked."""
    tasks = []

    async def start(answer: Answer) -> list[str]:
        asked: list[str] = []

        async def work() -> None:
            while True:
                for command in await center.commands.wait("box-1", 5):
                    asked.append(command.arguments.kind)
                    center.commands.answer("box-1", command.id, answer)

        tasks.append(asyncio.create_task(work()))
        return asked

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def hurried(center: Center) -> MediaService:
    """The media service with short patience."""
    media = center.media
    media._snapshot_timeout_s = media._clip_timeout_s = 0.2
    return media


class TestSnapshot:
    async def test_comes_from_the_box(self, center: Center, serve: Serve, jpeg: bytes) -> None:
        await serve(jpeg)
        still = await center.media.snapshot(EVERYWHERE, "cam-1")
        assert still.jpeg == jpeg
        assert now() - still.captured_at < timedelta(minutes=1)

    async def test_that_never_comes_names_box_and_camera(self, center: Center, box: Any) -> None:
        with pytest.raises(EdgeSilentError, match=r"box-1.*cam-1"):
            await hurried(center).snapshot(EVERYWHERE, "cam-1")

    async def test_of_a_silent_box_is_not_waited_for(self, center: Center, box: Any) -> None:
        async with center.store.writing() as session:
            await session.run(update(edges).values(reported_ms=1))
        with pytest.raises(EdgeSilentError, match=r"box-1.*cam-1.*does not report"):
            await center.media.snapshot(EVERYWHERE, "cam-1")

    async def test_that_the_box_could_not_take_says_why(self, center: Center, serve: Serve) -> None:
        await serve(CommandFailure(code="camera_offline", message="no frame"))
        with pytest.raises(CommandFailedError, match="no frame"):
            await center.media.snapshot(EVERYWHERE, "cam-1")

    @pytest.mark.parametrize("answer", [b"", b"<html>", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0" + b"\0" * 100])
    async def test_that_is_no_picture_is_refused(self, center: Center, serve: Serve, answer: bytes) -> None:
        await serve(answer)
        with pytest.raises(PictureError):
            await center.media.snapshot(EVERYWHERE, "cam-1")

    async def test_outside_the_scope_asks_nobody(self, center: Center, serve: Serve, jpeg: bytes) -> None:
        asked = await serve(jpeg)
        with pytest.raises(CameraNotFoundError):
            await center.media.snapshot(Scope(("p-ba-dinh",)), "cam-1")
        assert asked == []


class TestClip:
    async def ask(self, center: Center, **changes: Any) -> Any:
        end = changes.pop("end", now() - timedelta(minutes=1))
        range_ = {"camera_id": "cam-1", "time_from": end - timedelta(seconds=30), "time_to": end}
        return await center.media.clip(changes.pop("scope", EVERYWHERE), **{**range_, **changes})

    async def test_comes_once_and_stays(self, center: Center, serve: Serve, mp4: bytes) -> None:
        asked = await serve(mp4)
        end = now() - timedelta(minutes=1)
        clips = await asyncio.gather(*(self.ask(center, end=end) for _ in range(3)))
        assert {clip.id for clip in clips} == {clips[0].id}
        assert clips[0].path.read_bytes() == mp4
        assert clips[0].media_type == "video/mp4"
        assert asked == ["clip"]
        assert await center.media.open_clip(EVERYWHERE, clips[0].id) == clips[0].path

    async def test_of_an_event_covers_it(self, center: Center, box: Any, serve: Serve, mp4: bytes) -> None:
        await serve(mp4)
        event = box.event()
        await center.intake.receive(box.batch([event]))
        clip = await center.media.clip(EVERYWHERE, event_id=event.id)
        assert clip.start <= event.data.start
        assert clip.end >= event.data.end

    async def test_in_the_cache_is_bound_to_the_scope_too(self, center: Center, serve: Serve, mp4: bytes) -> None:
        await serve(mp4)
        clip = await self.ask(center)
        assert await center.media.open_clip(Scope(("tp-ha-noi",)), clip.id)
        for scope, name in ((Scope(("p-ba-dinh",)), clip.id), (EVERYWHERE, "0" * 32), (EVERYWHERE, "../center")):
            with pytest.raises(ClipNotFoundError):
                await center.media.open_clip(scope, name)

    async def test_changed_on_disk_is_fetched_anew(self, center: Center, serve: Serve, mp4: bytes) -> None:
        asked = await serve(mp4)
        end = now() - timedelta(minutes=1)
        clip = await self.ask(center, end=end)
        clip.path.write_bytes(b"altered")
        assert (await self.ask(center, end=end)).path.read_bytes() == mp4
        assert asked == ["clip", "clip"]

    async def test_of_a_box_that_is_away_points_to_the_still(self, center: Center, box: Any) -> None:
        event = box.event()
        await center.intake.receive(box.batch([event]))
        with pytest.raises(EdgeSilentError, match="still") as caught:
            await hurried(center).clip(EVERYWHERE, event_id=event.id)
        assert "cam-1" in caught.value.message

    @pytest.mark.parametrize("seconds", [0, -5, 601])
    async def test_of_a_range_that_cannot_be_is_refused(self, center: Center, box: Any, seconds: int) -> None:
        end = now()
        with pytest.raises(ClipError):
            await center.media.clip(
                EVERYWHERE, camera_id="cam-1", time_from=end - timedelta(seconds=seconds), time_to=end
            )

    async def test_needs_to_know_what_of(self, center: Center) -> None:
        with pytest.raises(ClipError):
            await center.media.clip(EVERYWHERE, camera_id="cam-1")
        with pytest.raises(EventNotFoundError):
            await center.media.clip(EVERYWHERE, event_id="00000000-0000-7000-8000-000000000000")

    async def test_that_is_no_video_is_refused_and_not_kept(self, center: Center, serve: Serve, mp4: bytes) -> None:
        await serve(mp4[:200])
        with pytest.raises(ClipError):
            await self.ask(center)
        assert list((center.settings.data / "clips").iterdir()) == []


def test_a_clip_is_one_h264_video(mp4: bytes) -> None:
    assert check_clip(mp4) == pytest.approx(2.0, abs=0.2)
    for bad in (b"", mp4[: len(mp4) // 2], b"\0\0\0\x18ftypmp42" + b"\0" * 100, mp4.replace(b"avc1", b"xxx1")):
        with pytest.raises(ClipError):
            check_clip(bad)


def test_a_picture_bomb_is_refused_before_it_is_decoded(jpeg: bytes) -> None:
    assert check_jpeg(jpeg) == (160, 90)
    assert decode_jpeg(jpeg).shape == (90, 160, 3)
    frame = jpeg.index(b"\xff\xc0")
    bomb = jpeg[: frame + 5] + b"\xff\xff\xff\xff" + jpeg[frame + 9 :]
    with pytest.raises(PictureError, match="too large"):
        check_jpeg(bomb)


async def test_the_cache_keeps_its_quota_and_drops_the_least_used(center: Center) -> None:
    folder = center.settings.data / "small"
    cache = ClipCache(center.store, folder, 250)

    def facts(name: str) -> dict[str, Any]:
        return {"clip_id": name, "camera_id": "cam-1", "area": "p-hoan-kiem", "start_ms": 1, "end_ms": 2}

    for name in ("a", "b"):
        await cache.keep(facts(name), name.encode() * 100)
        await asyncio.sleep(0.01)
    assert await cache.find("a")
    await asyncio.sleep(0.01)
    await cache.keep(facts("c"), b"c" * 100)
    assert await cache.find("b") is None
    assert sorted(path.name for path in folder.iterdir()) == ["a.mp4", "c.mp4"]
    with pytest.raises(StorageFullError):
        await cache.keep(facts("d"), b"d" * 251)


class TestCommands:
    async def test_an_answer_counts_only_from_the_box_that_was_asked(self, center: Center) -> None:
        from matpho_contracts.edge_api import SnapshotArguments

        asking = asyncio.create_task(center.commands.ask("box-1", "cam-1", SnapshotArguments(), 5))
        (command,) = await center.commands.wait("box-1", 5)
        assert center.commands.answer_limit("box-2", command.id) == 0
        assert not center.commands.answer("box-2", command.id, b"forged")
        assert center.commands.answer("box-1", command.id, b"true")
        assert not center.commands.answer("box-1", command.id, b"again")
        assert await asking == b"true"

    async def test_waiting_ends_empty(self, center: Center) -> None:
        assert await center.commands.wait("box-1", 0.01) == ()

    async def test_the_queue_of_a_box_is_bounded(self, center: Center) -> None:
        from matpho_contracts.edge_api import SnapshotArguments
        from matpho_platform.cameras.commands import WAITING_PER_EDGE

        calls = [center.commands.ask("box-1", "cam-1", SnapshotArguments(), 0.3) for _ in range(WAITING_PER_EDGE + 3)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        kinds = [type(result) for result in results]
        assert kinds.count(QueueFullError) == 3
        assert kinds.count(EdgeSilentError) == WAITING_PER_EDGE
