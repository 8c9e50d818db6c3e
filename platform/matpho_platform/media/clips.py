"""The clip cache: a folder with a quota; the least recently used clip goes first."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update

from matpho_contracts.times import now, unix_ms
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import storage_full, translated
from matpho_platform.store.tables import clips


def clip_id(camera_id: str, start_ms: int, end_ms: int) -> str:
    """The name of a range of a camera: the same range is the same clip."""
    return hashlib.sha256(f"{camera_id}\n{start_ms}\n{end_ms}".encode()).hexdigest()[:32]


class ClipCache:
    """Files by clip id, their facts in the database."""

    def __init__(self, store: Store, folder: Path, quota_bytes: int, *, min_free_bytes: int = 0) -> None:
        self._store = store
        self._folder = folder
        self._quota = quota_bytes
        self._min_free = min_free_bytes
        self._lock = asyncio.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """Where a clip's file is, whether it is there or not."""
        return self._folder / f"{name}.mp4"

    async def find(self, name: str) -> RowMapping | None:
        """A clip that is there whole, marked as used; a file that was changed on disk is thrown away."""
        async with self._store.reading() as session:
            row = await session.first(select(clips).where(clips.c.clip_id == name))
        if row is None:
            return None
        if await asyncio.to_thread(_digest, self.path(name)) != row["sha256"]:
            await self._forget([name])
            return None
        async with self._store.writing() as session:
            await session.run(update(clips).where(clips.c.clip_id == name).values(used_ms=unix_ms(now())))
        return row

    async def keep(self, facts: dict[str, Any], data: bytes) -> Path:
        """Write a clip; `facts` are its id, camera, area, start and end. Raises StorageFullError, leaving nothing."""
        path = self.path(facts["clip_id"])
        async with self._lock:
            await self._make_room(len(data))
            await asyncio.to_thread(self._write, path, data)
            row = {
                **facts,
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": len(data),
                "used_ms": unix_ms(now()),
            }
            async with self._store.writing() as session:
                await session.run(delete(clips).where(clips.c.clip_id == facts["clip_id"]))
                await session.run(insert(clips).values(**row))
        return path

    def _write(self, path: Path, data: bytes) -> None:
        if shutil.disk_usage(self._folder).free - len(data) < self._min_free:
            raise storage_full()
        part = path.with_suffix(f".{os.getpid()}.part")
        try:
            with translated():
                part.write_bytes(data)
                part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    async def _make_room(self, size: int) -> None:
        if size > self._quota:
            raise storage_full()
        async with self._store.reading() as session:
            used = int(await session.scalar(select(func.coalesce(func.sum(clips.c.size), 0))) or 0)
            oldest = await session.all(select(clips.c.clip_id, clips.c.size).order_by(clips.c.used_ms))
        gone = []
        for row in oldest:
            if used + size <= self._quota:
                break
            gone.append(row["clip_id"])
            used -= row["size"]
        await self._forget(gone)

    async def _forget(self, names: Sequence[str]) -> None:
        for name in names:
            await asyncio.to_thread(self.path(name).unlink, missing_ok=True)
        if names:
            async with self._store.writing() as session:
                await session.run(delete(clips).where(clips.c.clip_id.in_(names)))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
