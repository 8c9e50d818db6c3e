"""Stills by their digest: a small interface, and a folder behind it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from matpho_contracts.errors import IntegrityError, NotFoundError
from matpho_platform.store.errors import storage_full, translated

MIN_FREE_BYTES = 64 * 1024 * 1024
"""What a folder leaves free for the database beside it."""


class BlobStore(Protocol):
    """Bytes kept under their SHA-256. Writing twice is writing once."""

    async def put(self, blobs: Mapping[str, bytes]) -> None:
        """Store bytes by digest, on disk on return. Raises StorageFullError with nothing half-written."""

    async def get(self, digest: str) -> bytes:
        """The bytes, checked again; raises NotFoundError, or IntegrityError when they have changed."""

    async def has(self, digest: str) -> bool:
        """Whether the bytes are there (unchecked)."""


class FolderBlobs:
    """A folder of folders: `ab/abcdef…`; a file appears whole or not at all."""

    def __init__(self, folder: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        folder.mkdir(parents=True, exist_ok=True)

    def _path(self, digest: str) -> Path:
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise NotFoundError("This is no digest.")
        return self._folder / digest[:2] / digest

    async def put(self, blobs: Mapping[str, bytes]) -> None:
        """Write each blob beside its place, flush it, move it in, flush the folder."""
        if blobs:
            await asyncio.to_thread(self._put, blobs)

    def _put(self, blobs: Mapping[str, bytes]) -> None:
        new = {self._path(digest): data for digest, data in blobs.items()}
        new = {path: data for path, data in new.items() if not path.exists()}
        if not new:
            return
        if shutil.disk_usage(self._folder).free - sum(map(len, new.values())) < self._min_free_bytes:
            raise storage_full()
        with translated():
            for path, data in new.items():
                _write(path, data)
            for folder in {path.parent for path in new} | {self._folder}:
                _flush_folder(folder)

    async def get(self, digest: str) -> bytes:
        """Read and check a blob."""
        path = self._path(digest)
        try:
            data = await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError as error:
            raise NotFoundError("The still is not in the store.") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise IntegrityError("The still's bytes are not those that were signed.")
        return data

    async def has(self, digest: str) -> bool:
        """Whether a file of that name is there."""
        return await asyncio.to_thread(self._path(digest).exists)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
