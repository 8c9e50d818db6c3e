"""A process that delivers notices until it is killed: `python crash_worker.py DATABASE FOLDER SETTINGS`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from matpho_contracts.signing import SigningKey
from matpho_platform.access.accounts import Accounts
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.notify.desk import open_desk
from matpho_platform.notify.service import Notifier
from matpho_platform.notify.settings import NotifySettings
from matpho_platform.store.engine import open_store
from matpho_platform.workers import Workers

LEASE_MS = 1_000


async def main(database: str, folder: str, settings: str) -> None:
    store = await open_store(database if "://" in database else Path(database))
    areas = AreaTree(())
    desk = await open_desk(
        NotifySettings.model_validate_json(settings), store, Notifier(store, areas), areas, Accounts(store),
        key=SigningKey.generate(), data=Path(folder), base="https://matpho.example", lease_ms=LEASE_MS,
    )  # fmt: skip
    desk.start(Workers())
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
