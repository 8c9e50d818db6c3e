"""Verifying the audit trail: every entry hashed again, held against signed checkpoints, tiles and witnesses.

1 indexes run without a gap; 2 each entry hashes to its leaf and its columns say what it says; 3 the tree over the
entries has the root that each checkpoint of its size signed; 4 no checkpoint covers more than there is; 5 the newest
checkpoint covers everything; 6 tiles and bundles hold the same hashes and entries; 7 the published note and every head
that a witness kept are beginnings of this trail; 8 the log's clock did not go back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import RowMapping

from matpho_contracts import merkle
from matpho_contracts.signing import PublicKey
from matpho_contracts.times import from_rfc3339, unix_ms
from matpho_platform.audit import repository
from matpho_platform.audit.checkpoints import problem_of
from matpho_platform.audit.schemas import AuditReport
from matpho_platform.audit.tile_check import TileCheck
from matpho_platform.audit.tree import Frontier
from matpho_platform.audit.witness import Witnessed, published
from matpho_platform.store.session import ReadSession

__all__ = ["MAX_PROBLEMS", "Witnessed", "verify_trail"]

_AT_ONCE = 8_192
"""Rows of one read; a multiple of a bundle."""
MAX_PROBLEMS = 1_000
CLOCK_BACK = timedelta(seconds=2)
"""A clock that goes back further than this is told."""


@dataclass(slots=True)
class _Findings:
    heads: Mapping[int, set[str]]
    problems: list[str] = field(default_factory=list)
    clock: list[str] = field(default_factory=list)
    latest: datetime | None = None


async def verify_trail(
    session: ReadSession,
    key: PublicKey,
    remembered: Sequence[Mapping[str, Any]],
    *,
    folder: Path | None = None,
    witnesses: Sequence[Witnessed] = (),
) -> AuditReport:
    """Check the trail; `folder` holds its tiles, `remembered` are the checkpoints of the file beside the database."""
    found = _Findings(defaultdict(set))
    stored: list[Mapping[str, Any]] = [dict(row) for row in await repository.checkpoints(session)]
    for checkpoint in [*stored, *remembered]:
        wrong = problem_of(checkpoint, key)
        if wrong:
            found.problems.append(wrong)
        else:
            found.heads[int(checkpoint["size"])].add(str(checkpoint["root"]))
    note, wrong = await asyncio.to_thread(published, folder, key) if folder is not None else (None, "")
    found.problems += [wrong] if wrong else []
    for head in [*([note] if note else []), *witnesses]:
        found.problems += [head.problem] if head.problem else []
        found.heads[head.size].add(head.root)
    tiles = TileCheck(folder, note.size if note else 0) if folder is not None else None
    tree = await _walk(session, found, tiles)
    newest = max((int(checkpoint["size"]) for checkpoint in stored), default=0)
    for size in sorted(found.heads):
        if size > tree.size:
            found.problems.append(f"A checkpoint covers {size} entries; only {tree.size} are there: the tail was cut.")
    if newest != tree.size:
        found.problems.append(f"The newest checkpoint covers {newest} of {tree.size} entries.")
    counted = await repository.counted(session)
    if counted != tree.size:
        found.problems.append(f"The counter says {counted} entries; {tree.size} are there.")
    found.problems += await asyncio.to_thread(tiles.finish) if tiles is not None else []
    return AuditReport(
        entries=tree.size,
        checkpoints=len(stored) + len(remembered) + len(witnesses),
        root=tree.root().hex(),
        problems=tuple(found.problems[:MAX_PROBLEMS]),
        clock=tuple(found.clock[:MAX_PROBLEMS]),
        tiles=tiles.compared if tiles is not None else 0,
        witnessed=max((head.size for head in witnesses), default=0),
    )


async def _walk(session: ReadSession, found: _Findings, tiles: TileCheck | None) -> Frontier:
    tree, next_index = Frontier(), 0
    if 0 in found.heads and found.heads[0] != {tree.root().hex()}:
        found.problems.append("A checkpoint of no entries has the root of some.")
    while rows := await repository.entries_from(session, next_index, _AT_ONCE):
        await asyncio.to_thread(_check_rows, rows, tree, found, tiles)
        next_index = rows[-1]["log_index"] + 1
    return tree


def _check_rows(rows: Sequence[RowMapping], tree: Frontier, found: _Findings, tiles: TileCheck | None) -> None:
    texts = [row["entry"].encode() for row in rows]
    leaves = [merkle.leaf_hash(text) for text in texts]
    if tiles is not None:
        found.problems += tiles.add(texts, leaves)
    for row, text, leaf in zip(rows, texts, leaves, strict=True):
        if row["log_index"] != tree.size:
            found.problems.append(f"Entry {tree.size} is missing; entry {row['log_index']} follows.")
        wrong = _wrong(row, text, leaf, found)
        if wrong:
            found.problems.append(f"Entry {row['log_index']}: {wrong}")
        tree.append(leaf)
        if tree.size in found.heads and found.heads[tree.size] != {tree.root().hex()}:
            found.problems.append(f"The first {tree.size} entries are not those that were signed.")


def _wrong(row: RowMapping, text: bytes, leaf: bytes, found: _Findings) -> str:
    if leaf != row["leaf"]:
        return "its bytes do not hash to its leaf."
    try:
        entry = orjson.loads(text)
        said = (unix_ms(from_rfc3339(entry["at"])), entry["user_id"][:64], entry["action"], entry["outcome"])
        logged = entry.get("logged_at")
        _clock(from_rfc3339(logged) if logged else None, row["log_index"], found)
    except (ValueError, KeyError, TypeError):
        return "its bytes are no entry."
    columns = (row["at_ms"], row["user_id"], row["action"], row["outcome"])
    return "" if columns == said else "its columns differ from its bytes."


def _clock(logged: datetime | None, index: int, found: _Findings) -> None:
    if logged is None:
        return
    if found.latest is not None and found.latest - logged > CLOCK_BACK:
        found.clock.append(f"At entry {index} the clock went back by {found.latest - logged}.")
    found.latest = logged
