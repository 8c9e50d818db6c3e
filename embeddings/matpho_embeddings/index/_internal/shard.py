"""The durable store: one Qdrant Edge shard, used for what it does well: keep points through a crash.

Facts about qdrant-edge-py 0.9 that shape this file, each seen in a run: every call holds the GIL (so the shard lives in
a process of its own); `update` writes its log without fsync (so a journal of our own acknowledges); a kill in
`optimize` leaves `temp_segments` behind; a full disk kills the process (so a reserve is kept free); errors are bare
exceptions with text; a second opener fails.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as qe

from matpho_contracts.errors import ConfigurationError, MatphoError, StorageFullError, UnavailableError
from matpho_embeddings.index._internal.wire import payload_document, payload_of
from matpho_embeddings.index.contract import VECTOR_NAMES, Point

FORMAT = 2
OPEN_WAIT_S = 15.0
"""How long a new owner waits for an old one that is just going away."""
NO_GRAPH = qe.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10**9)
"""No graph is ever built: the exact path answers; `optimize` then only merges segments and gives space back."""
NEVER_INDEX = qe.EdgeOptimizersConfig(indexing_threshold=10**12)


class Shard:
    """An open shard in `folder`; raises ConfigurationError when another process has it or the sizes differ."""

    def __init__(self, folder: Path, dim: int, reserve_bytes: int) -> None:
        self._folder, self._reserve = folder, reserve_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _own(folder / "owner.lock")
            _check_format(folder / "index.json", dim)
        except OSError as error:
            raise converted(error) from error
        path = folder / "shard"
        shutil.rmtree(path / "temp_segments", ignore_errors=True)
        try:
            if (path / "edge_config.json").exists():
                self._shard = qe.EdgeShard.load(str(path))
            else:
                shutil.rmtree(path, ignore_errors=True)
                path.mkdir()
                self._shard = qe.EdgeShard.create(str(path), _config(dim))
        except Exception as error:
            raise UnavailableError(
                f"The index in {folder} cannot be opened: {error}.",
                action="Move the folder away; the index is filled again from the stored events.",
            ) from error

    def upsert(self, points: Sequence[Point]) -> None:
        """Write points; durable after the next `flush`."""
        self._update(qe.UpdateOperation.upsert_points([_record(point) for point in points]))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove points; durable after the next `flush`."""
        self._update(qe.UpdateOperation.delete_points(list(ids)))

    def _update(self, operation: qe.UpdateOperation) -> None:
        try:
            self._shard.update(operation)
        except Exception as error:
            raise converted(error) from error

    def check_room(self) -> None:
        """Raise StorageFullError when the disk has less left than the reserve."""
        free = shutil.disk_usage(self._folder).free
        if free < self._reserve:
            raise StorageFullError(
                f"The disk of the index has {free >> 20} MiB left, less than its reserve of {self._reserve >> 20} MiB.",
                action="Free some space; nothing was written.",
            )

    def flush(self) -> None:
        """Bring everything written so far to the disk (fsync)."""
        try:
            self._shard.flush()
        except Exception as error:
            raise converted(error) from error

    def page(self, after: str | None, limit: int) -> tuple[list[Point], str | None]:
        """Points in the order of their ids, from `after` on, and where the next page begins."""
        request = qe.ScrollRequest(offset=after, limit=limit, with_payload=True, with_vector=True)
        try:
            records, following = self._shard.scroll(request)
        except Exception as error:
            raise converted(error) from error
        return [_point(record) for record in records], None if following is None else str(following)

    def tidy(self) -> None:
        """Merge segments and give the room of deleted points back; writing waits meanwhile, searching does not."""
        try:
            self._shard.optimize()
        except Exception as error:
            raise converted(error) from error

    def close(self) -> None:
        """Flush and let go."""
        try:
            self._shard.flush()
            self._shard.close()
        finally:
            os.close(self._lock)


def _config(dim: int) -> qe.EdgeConfig:
    params = qe.EdgeVectorParams(size=dim, distance=qe.Distance.Cosine)
    return qe.EdgeConfig(
        vectors=dict.fromkeys(VECTOR_NAMES, params), hnsw_config=NO_GRAPH, optimizers=NEVER_INDEX, wal_enabled=True
    )


def _record(point: Point) -> qe.Point:
    vectors: dict[str, Any] = {name: vector.astype(np.float32) for name, vector in point.vectors.items()}
    return qe.Point(point.id, vectors, payload_document(point.payload))


def _point(record: qe.Record) -> Point:
    held = record.vector if isinstance(record.vector, dict) else {}
    vectors = {name: np.asarray(vector, np.float32) for name, vector in held.items()}
    return Point(str(record.id), vectors, payload_of(record.payload or {}))


def _own(path: Path) -> int:
    """Take the folder's lock, held until this process ends; waits for an owner that is going away."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + OPEN_WAIT_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(file)
                raise ConfigurationError(
                    f"The index in {path.parent} is in use by another process.",
                    action="Stop that one first, or give this one another folder.",
                ) from None
            time.sleep(0.05)
        else:
            return file


def _check_format(path: Path, dim: int) -> None:
    """Write down what the folder holds, or compare; raises ConfigurationError when it holds other vectors."""
    if path.exists():
        held = json.loads(path.read_text())
        if held != {"format": FORMAT, "dim": dim}:
            raise ConfigurationError(
                f"The index in {path.parent} holds {held}, this program wants format {FORMAT} with {dim} numbers.",
                action="Use the encoder the index was built with, or another folder.",
            )
        return
    fresh = path.with_suffix(".new")
    with fresh.open("w") as file:
        json.dump({"format": FORMAT, "dim": dim}, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def converted(error: Exception) -> MatphoError:
    """The engine's or the system's error as ours; the engine tells a full disk only in words."""
    if "No space left" in str(error):
        return StorageFullError("The disk of the index is full.", action="Free some space; the write was refused.")
    return UnavailableError(f"The vector store refused: {error}.")
