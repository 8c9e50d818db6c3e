"""Verifying the audit trail: every entry hashed again, every checkpoint held against the tree of its size."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy import RowMapping

from matpho_contracts import merkle
from matpho_contracts.signing import PublicKey
from matpho_contracts.times import from_rfc3339, unix_ms
from matpho_platform.audit import repository
from matpho_platform.audit.checkpoints import problem_of
from matpho_platform.audit.schemas import AuditEntry, AuditReport
from matpho_platform.audit.tree import Frontier
from matpho_platform.store.session import ReadSession

_AT_ONCE = 1_000
MAX_PROBLEMS = 1_000


async def verify_trail(session: ReadSession, key: PublicKey, remembered: Sequence[Mapping[str, Any]]) -> AuditReport:
    """Check the trail.

    1 indexes run without a gap; 2 each entry hashes to its leaf and its columns say what it says; 3 the tree over the
    entries has the root that each checkpoint of its size signed; 4 no checkpoint covers more than there is; 5 the
    newest checkpoint covers everything.
    """
    problems: list[str] = []
    heads: dict[int, set[str]] = defaultdict(set)
    stored: list[Mapping[str, Any]] = [dict(row) for row in await repository.checkpoints(session)]
    for checkpoint in [*stored, *remembered]:
        wrong = problem_of(checkpoint, key)
        if wrong:
            problems.append(wrong)
        else:
            heads[int(checkpoint["size"])].add(str(checkpoint["root"]))
    tree = await _walk(session, heads, problems)
    newest = max((int(checkpoint["size"]) for checkpoint in stored), default=0)
    for size in sorted(heads):
        if size > tree.size:
            problems.append(f"A checkpoint covers {size} entries; only {tree.size} are there: the tail was cut.")
    if newest != tree.size:
        problems.append(f"The newest checkpoint covers {newest} of {tree.size} entries.")
    return AuditReport(
        entries=tree.size,
        checkpoints=len(stored) + len(remembered),
        root=tree.root().hex(),
        problems=tuple(problems[:MAX_PROBLEMS]),
    )


async def _walk(session: ReadSession, heads: Mapping[int, set[str]], problems: list[str]) -> Frontier:
    tree, next_index = Frontier(), 0
    while rows := await repository.entries_from(session, next_index, _AT_ONCE):
        for row in rows:
            if row["log_index"] != tree.size:
                problems.append(f"Entry {tree.size} is missing; entry {row['log_index']} follows.")
            wrong = _wrong(row)
            if wrong:
                problems.append(f"Entry {row['log_index']}: {wrong}")
            tree.append(merkle.leaf_hash(row["entry"].encode()))
            if tree.size in heads and heads[tree.size] != {tree.root().hex()}:
                problems.append(f"The first {tree.size} entries are not those that were signed.")
        next_index = rows[-1]["log_index"] + 1
    return tree


def _wrong(row: RowMapping) -> str:
    if merkle.leaf_hash(row["entry"].encode()) != bytes(row["leaf"]):
        return "its bytes do not hash to its leaf."
    try:
        entry = AuditEntry.model_validate_json(row["entry"])
        at_ms = unix_ms(from_rfc3339(json.loads(row["entry"])["at"]))
    except (ValidationError, ValueError, KeyError):
        return "its bytes are no entry."
    columns = (row["at_ms"], row["user_id"], row["action"], row["outcome"])
    said = (at_ms, entry.user_id[:64], entry.action, entry.outcome)
    return "" if columns == said else "its columns differ from its bytes."
