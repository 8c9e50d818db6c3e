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

from matpho_contracts import merkle
from matpho_contracts.signing import PublicKey
from matpho_contracts.times import from_rfc3339
from matpho_platform.audit import repository
from matpho_platform.audit.checkpoints import problem_of
from matpho_platform.audit.schemas import AuditReport
from matpho_platform.audit.tile_check import TileCheck
from matpho_platform.audit.tiles import LEVEL_HEIGHT, WIDTH
from matpho_platform.audit.tree import Frontier, full_root
from matpho_platform.audit.witness import Witnessed, published
from matpho_platform.store.session import ReadSession

__all__ = ["Witnessed", "verify_trail"]

_Row = Sequence[Any]
"""log_index, at_ms, user_id, action, outcome, leaf, entry."""
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
    latest: str = ""
    """The log's clock at the entry before."""


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
    while rows := await repository.raw_from(session, next_index, _AT_ONCE):
        await asyncio.to_thread(_check_rows, rows, tree, found, tiles)
        next_index = rows[-1][0] + 1
    return tree


def _check_rows(rows: Sequence[_Row], tree: Frontier, found: _Findings, tiles: TileCheck | None) -> None:
    """Check some rows, tile by tile; a whole tile is hashed once, for the tree and for the file."""
    at = 0
    while at < len(rows):
        block = rows[at : at + WIDTH - tree.size % WIDTH]
        at += len(block)
        texts = [row[6].encode() for row in block]
        leaves = merkle.leaf_hashes(texts)
        for number, (row, text, leaf) in enumerate(zip(block, texts, leaves, strict=True), tree.size):
            if row[0] != number:
                found.problems.append(f"Entry {number} is missing; entry {row[0]} follows.")
            wrong = _wrong(row, text, leaf, found)
            if wrong:
                found.problems.append(f"Entry {row[0]}: {wrong}")
        root = full_root(leaves) if len(leaves) == WIDTH else None
        if tiles is not None:
            found.problems += tiles.add(texts, leaves, root)
        _grow(tree, leaves, root, found)


def _grow(tree: Frontier, leaves: Sequence[bytes], root: bytes | None, found: _Findings) -> None:
    """Add a block to the tree, and hold the tree against every head that was signed on the way."""
    if root is not None and found.heads.keys().isdisjoint(range(tree.size + 1, tree.size + WIDTH)):
        tree.join(LEVEL_HEIGHT, root)
        leaves = ()
        _hold(tree, found)
    for leaf in leaves:
        tree.append(leaf)
        _hold(tree, found)


def _hold(tree: Frontier, found: _Findings) -> None:
    if tree.size in found.heads and found.heads[tree.size] != {tree.root().hex()}:
        found.problems.append(f"The first {tree.size} entries are not those that were signed.")


def _wrong(row: _Row, text: bytes, leaf: bytes, found: _Findings) -> str:
    if leaf != bytes(row[5]):
        return "its bytes do not hash to its leaf."
    try:
        entry = orjson.loads(text)
        at = datetime.fromisoformat(entry["at"])  # by hand: a million of them are read
        if at.tzinfo is None:
            raise ValueError("a time without its offset")
        said = (round(at.timestamp() * 1000), entry["user_id"][:64], entry["action"], entry["outcome"])
        logged = entry.get("logged_at", "")
        if logged < found.latest:  # as texts: the log writes UTC in one form; what is not smaller needs no reading
            _clock(logged, row[0], found)
        found.latest = logged or found.latest
    except (ValueError, KeyError, TypeError):
        return "its bytes are no entry."
    return "" if said == tuple(row[1:5]) else "its columns differ from its bytes."


def _clock(logged: str, index: int, found: _Findings) -> None:
    if not logged:
        return
    back = from_rfc3339(found.latest) - from_rfc3339(logged)
    if back > CLOCK_BACK:
        found.clock.append(f"At entry {index} the clock went back by {back}.")
