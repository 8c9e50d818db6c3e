"""What the store must not do: write people's values into logs, or let two first writers of a serial fail."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy import text

from matpho_platform.store import open_store
from matpho_platform.store.serials import lock_serial, save_serial

SECRET = "Nguyễn Thị Kín 001085012345"


async def test_values_of_statements_reach_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    store = await open_store(tmp_path / "a.db")
    async with store.writing() as session:
        await session.scalar(text("SELECT :value").bindparams(value=SECRET))
    await store.close()
    assert SECRET not in caplog.text


async def test_many_who_begin_a_serial_at_once_count_without_a_gap(database: str | None, tmp_path: Path) -> None:
    target = database or tmp_path / "a.db"
    stores = [await open_store(target) for _ in range(2)]
    given: list[int] = []

    async def take(number: int) -> None:
        async with stores[number % 2].writing() as session:
            value = await lock_serial(session, "fresh") + 1
            await asyncio.sleep(0.01)
            await save_serial(session, "fresh", value)
        given.append(value)

    await asyncio.gather(*(take(number) for number in range(10)))
    assert sorted(given) == list(range(1, 11))
    for store in stores:
        await store.close()
