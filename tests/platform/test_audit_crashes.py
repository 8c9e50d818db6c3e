"""A writer killed again and again: nothing that was acknowledged is lost, and no honest crash raises an alarm."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from matpho_contracts.signing import SigningKey
from matpho_platform.audit.log import AuditLog
from matpho_platform.store import Store, open_store
from matpho_platform.store.tables import audit_entries

KILLS = 50
KILLS_NIGHTLY = 1_000
WRITERS = 6

SERVER = """
import asyncio, os, sys
from pathlib import Path
from matpho_contracts.signing import SigningKey
from matpho_platform.audit import publishing
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.store import open_store

folder, writers = Path(sys.argv[1]), int(sys.argv[2])
publishing.EVERY_S = 0.02

async def write():
    key = SigningKey.load_or_create(folder / "center.pem")
    store = await open_store(folder / "center.db")
    log = AuditLog(store, key, folder / "audit")
    await log.open()
    publisher = asyncio.create_task(log.keep_published())
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    async def writer(name):
        number = 0
        while True:
            mark = f"{os.getpid()}-{name}-{number}"
            entry = AuditEntry(user_id="w", role="officer", action="export_evidence", conversation=mark)
            personal = {"plate": f"30A{number % 9}"} if number % 3 == 0 else None
            if name == 0:
                index = await log.append_or_spool(entry, personal=personal)
            else:
                index = await log.append(entry, personal=personal)
            os.write(acknowledged, f"{mark} {index}\\n".encode())
            number += 1
    await asyncio.gather(*(writer(name) for name in range(writers)))

print("ready", flush=True)
for _line in sys.stdin:
    child = os.fork()
    if child == 0:
        asyncio.run(write())
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""
"""Forks a writer for each line it reads: a real process, killed for real, without the cost of its imports."""


@contextmanager
def writers(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SERVER, str(folder), str(WRITERS)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


def one_life(process: subprocess.Popen[str], acknowledged: Path, dice: random.Random) -> None:
    """Start a writer, wait until it wrote, kill it at some moment."""
    assert process.stdin is not None
    assert process.stdout is not None
    before = acknowledged.stat().st_size if acknowledged.exists() else 0
    process.stdin.write("go\n")
    process.stdin.flush()
    child = int(process.stdout.readline())
    until = time.monotonic() + 30
    wait_for_first = dice.random() < 0.8  # else it may die while it opens
    while wait_for_first and time.monotonic() < until:
        if acknowledged.exists() and acknowledged.stat().st_size > before:
            break
        time.sleep(0.002)
    time.sleep(dice.random() * 0.05)
    os.kill(child, signal.SIGKILL)
    assert process.stdout.readline() == "gone\n"


async def check(store: Store, key: SigningKey, folder: Path) -> int:
    """Verify everything; returns how many acknowledged entries there are, each where it was said to be."""
    log = AuditLog(store, key, folder / "audit")
    await log.open()
    report = await log.verify()
    assert report.intact, report.problems
    assert report.clock == ()
    from sqlalchemy import select

    async with store.reading() as session:
        rows = await session.all(select(audit_entries.c.log_index, audit_entries.c.entry))
    there = {json.loads(row["entry"])["conversation"]: row["log_index"] for row in rows}
    lines = (folder / "acknowledged").read_text().splitlines()
    spooled = 0
    for line in lines:
        mark, index = line.split()
        if index == "None":
            spooled += 1
            continue
        assert there.get(mark) == int(index), f"{mark} was acknowledged as {index}"
    assert spooled == 0
    return len(lines)


async def live_and_die(folder: Path, migrated: Path, kills: int, seed: int) -> int:
    shutil.copy(migrated, folder / "center.db")
    key = SigningKey.load_or_create(folder / "center.pem")
    dice, checked = random.Random(seed), 0
    store = await open_store(folder / "center.db")
    with writers(folder) as process:
        for life in range(kills):
            await asyncio.to_thread(one_life, process, folder / "acknowledged", dice)
            if life % 10 == 9 or life == kills - 1:
                checked = await check(store, key, folder)
    await store.close()
    return checked


async def test_no_kill_loses_an_entry_or_raises_an_alarm(tmp_path: Path, migrated: Path) -> None:
    assert await live_and_die(tmp_path, migrated, KILLS, 1) > KILLS


@pytest.mark.nightly
@pytest.mark.timeout(3600)
async def test_a_thousand_kills(tmp_path: Path, migrated: Path) -> None:
    checked = 0
    for part in range(10):
        folder = tmp_path / str(part)
        folder.mkdir()
        checked += await live_and_die(folder, migrated, KILLS_NIGHTLY // 10, part)
    print(f"{KILLS_NIGHTLY} kills, {checked} acknowledged entries, none lost, no alarm")
    assert checked > KILLS_NIGHTLY
