"""`matpho bench audit`: what an entry costs, what many at once cost, how long a whole trail takes to be verified.

All on SQLite with synchronous=FULL in a folder of this machine's disk: an append is a signed commit that was flushed.
`one bare commit` takes turns with it and is the reference: a row that is flushed, with nothing around it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from matpho.bench.flushes import bare_commit
from matpho.tables import machine
from matpho_contracts import merkle
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import from_rfc3339, now, to_rfc3339, unix_ms
from matpho_platform.audit import repository
from matpho_platform.audit.checkpoints import statement
from matpho_platform.audit.export import Wanted, export_audit
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.offline import VERIFIER
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.audit.tree import Frontier
from matpho_platform.store.engine import Store, open_store

OURS = "matpho"
AT_ONCE = 64
_CHUNK = 20 * 1024
_WARM = 50


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measure and return {"machine": {...}, "rows": [...]}.

    Rows carry `case`, `n`, and either percentiles in ms or `seconds` and `per_second`.
    """
    with tempfile.TemporaryDirectory(prefix="bench-audit-") as folder:
        return {"machine": machine(), "rows": asyncio.run(_measure(Path(folder), quick))}


async def _measure(folder: Path, quick: bool) -> list[dict[str, Any]]:
    store = await open_store(folder / "small" / "center.db")
    log = AuditLog(store, SigningKey.generate(), folder / "small" / "audit")
    await log.open()
    singles, many = (300, 2_000) if quick else (2_000, 20_000)
    rows = [
        *await _beside(log, folder / "bare.db", singles),
        await _timed("append one with a plate kept outside", singles, lambda number: _with_plate(log, number)),
        await _together(log, many),
    ]
    await log.publish()
    rows.append(await _timed("inclusion proof, checked", singles, lambda number: log.inclusion(number)))
    await log.close()
    await store.close()
    return rows + await _whole(folder / "large", 50_000 if quick else 1_000_000)


async def _timed(case: str, count: int, act: Callable[[int], Awaitable[object]]) -> dict[str, Any]:
    taken = []
    for number in range(count + _WARM):
        started = time.perf_counter()
        await act(number)
        taken.append((time.perf_counter() - started) * 1000)
    return _row(OURS, case, taken[_WARM:])


def _row(engine: str, case: str, taken: list[float]) -> dict[str, Any]:
    p50, p95, p99 = (round(float(value), 3) for value in np.percentile(taken, (50, 95, 99)))
    return {"engine": engine, "case": case, "n": len(taken), "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


async def _beside(log: AuditLog, path: Path, count: int) -> list[dict[str, Any]]:
    """An entry and a bare commit in turns, so that a busy machine slows both alike."""
    ours: list[float] = []
    bare: list[float] = []
    with bare_commit(path) as commit:
        for number in range(count + _WARM):
            started = time.perf_counter()
            await log.append(_entry(number))
            ours.append((time.perf_counter() - started) * 1000)
            started = time.perf_counter()
            commit()
            bare.append((time.perf_counter() - started) * 1000)
    return [_row(OURS, "append one entry", ours[_WARM:]), _row("sqlite", "one bare commit", bare[_WARM:])]


def _with_plate(log: AuditLog, number: int) -> Awaitable[int]:
    return log.append(_entry(number), personal={"plate": f"30A-{number % 500:03d}.45"})


async def _together(log: AuditLog, count: int) -> dict[str, Any]:
    """Many callers who each wait for their entry before they write the next."""

    async def caller(first: int) -> None:
        for number in range(first, count, AT_ONCE):
            await log.append(_entry(number))

    started = time.perf_counter()
    await asyncio.gather(*(caller(first) for first in range(AT_ONCE)))
    return _rate(f"append from {AT_ONCE} callers", count, time.perf_counter() - started)


async def _whole(folder: Path, size: int) -> list[dict[str, Any]]:
    store = await open_store(folder / "center.db")
    key = SigningKey.generate()
    await fill(store, key, size)
    log = AuditLog(store, key, folder / "audit")
    rows = []
    for case, act in (("open the trail", log.open), ("publish its tiles", log.publish), ("verify it", log.verify)):
        started = time.perf_counter()
        report = await act()
        rows.append(_rate(case, size, time.perf_counter() - started))
        if case == "verify it" and not (report.intact and report.entries == size):  # type: ignore[union-attr]  # a report
            raise RuntimeError(f"the trail does not verify: {report}")
    target = folder / "export.zip"
    started = time.perf_counter()
    summary = await export_audit(log, target, Wanted(case_number="VA-7"))
    rows.append(_rate("export one case", summary.entries, time.perf_counter() - started))
    started = time.perf_counter()
    await asyncio.to_thread(_offline, target)
    rows.append(_rate("verify the export offline", summary.entries, time.perf_counter() - started))
    await store.close()
    return rows


def _offline(target: Path) -> None:
    """The auditor's script, in a Python that knows nothing of us."""
    subprocess.run([sys.executable, "-I", str(VERIFIER), str(target)], check=True, capture_output=True)  # noqa: S603 - our own


def _rate(case: str, count: int, seconds: float) -> dict[str, Any]:
    rate = round(count / seconds) if seconds else 0
    return {"engine": OURS, "case": case, "n": count, "seconds": round(seconds, 2), "per_second": rate}


def _entry(number: int) -> AuditEntry:
    return AuditEntry(
        user_id=f"officer-{number % 50}",
        role="officer",
        action="search_events",
        decision="allowed",
        outcome="answered",
        rule="areas",
        policy_version="2026.11",
        policies=("officer-reads-own-areas",),
        argument_hash="5f" * 32,
        arguments={"areas": ["p-hoan-kiem"], "limit": 20, "n": number},
        result_ids=tuple(f"01JD{number:022d}" for _ in range(3)),
        case_number="VA-7" if number % 1_000 == 0 else "",
        count=3,
        channel="web",
        session_id="s-1",
    )


async def fill(store: Store, key: SigningKey, size: int) -> None:
    """A trail of `size` entries as the log writes them, in large commits."""
    tree, template = Frontier(), _entry(1).model_copy(update={"logged_at": now()})
    for first in range(0, size, _CHUNK):
        rows, heads = [], []
        for number in range(first, min(first + _CHUNK, size)):
            stamp = {"at": now(), "user_id": f"officer-{number % 50}", "arguments": {"n": number}}
            case = {"case_number": "VA-7" if number % 1_000 == 0 else ""}
            entry = template.model_copy(update={**stamp, **case})
            canonical = entry.canonical()
            leaf = merkle.leaf_hash(canonical)
            tree.append(leaf)
            rows.append(
                {
                    "log_index": number,
                    "at_ms": unix_ms(from_rfc3339(to_rfc3339(entry.at))),
                    "user_id": entry.user_id,
                    "action": entry.action,
                    "outcome": entry.outcome,
                    "leaf": leaf,
                    "entry": canonical.decode(),
                }
            )
            if tree.size % repository.KEEP_EVERY == 0 or tree.size == size:
                heads.append(_head(tree, key))
        async with store.writing() as session:
            await repository.lock_size(session)
            await repository.add(session, rows, heads, ())
            await repository.save_size(session, tree.size)


def _head(tree: Frontier, key: SigningKey) -> dict[str, Any]:
    root, at_ms = tree.root().hex(), unix_ms(now())
    signature = key.sign(statement(tree.size, root, at_ms)).hex()
    return {"size": tree.size, "root": root, "at_ms": at_ms, "key_id": key.public.key_id, "signature": signature}
