"""The servers that the ingest benchmark asks, each in its own process: our center, and a plain FastAPI endpoint.

The plain endpoint is what one would write first: verify, validate with the same event model, `executemany` into SQLite
with two indexes, as durable as ours (WAL, synchronous=FULL). It keeps no inbox, no proofs, no outbox, no quarantine.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sqlite3
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from pydantic import SecretStr, TypeAdapter

from matpho_contracts.edge_api import BATCHES_PATH, EnrolRequest
from matpho_contracts.events import Event
from matpho_contracts.signing import PublicKey
from matpho_contracts.times import unix_ms
from matpho_platform.cameras.edges import EdgeEntry
from matpho_platform.center import open_center
from matpho_platform.settings import CenterSettings
from matpho_platform.web import create_app

EDGE_ID = "bench-box"
SIGNATURE_BYTES = 64
ENGINES = ("matpho", "plain", "plain-each")
_TOKEN = "bench-enrolment"  # noqa: S105 - opens a database that lives for one measurement


def plain_app(folder: Path, public_key: str, *, each: bool) -> FastAPI:
    """The plain endpoint: `each` event signed by itself, or one signature over the whole body in front of it."""
    app, key, events = FastAPI(), PublicKey.from_hex(public_key), TypeAdapter(list[Event])
    database = sqlite3.connect(folder / "plain.db", check_same_thread=False, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE events (id TEXT PRIMARY KEY, time INTEGER, camera TEXT, type TEXT, raw BLOB)")
    database.execute("CREATE INDEX by_time ON events (time)")
    database.execute("CREATE INDEX by_camera ON events (camera, time)")

    @app.post(BATCHES_PATH)
    async def batches(request: Request) -> dict[str, int]:
        lines = (await request.body()).split(b"\n")
        if each:
            for line in lines:
                key.verify(line[SIGNATURE_BYTES * 2 :], bytes.fromhex(line[: SIGNATURE_BYTES * 2].decode()))
            raws = [line[SIGNATURE_BYTES * 2 :] for line in lines]
        else:
            raws = lines[1:]
            key.verify(b"\n".join(raws), bytes.fromhex(lines[0].decode()))
        parsed = events.validate_json(b"[" + b",".join(raws) + b"]")
        rows: list[tuple[Any, ...]] = [
            (event.id, unix_ms(event.time), event.data.camera_id, event.type, raw)
            for event, raw in zip(parsed, raws, strict=True)
        ]
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT OR IGNORE INTO events VALUES (?,?,?,?,?)", rows)
        database.execute("COMMIT")
        return {"stored": len(rows)}

    return app


async def serve(app: FastAPI, listener: socket.socket) -> None:
    """Serve on an open socket until the process is told to stop."""
    await uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none")).serve(sockets=[listener])


async def serve_center(folder: Path, public_key: str, listener: socket.socket) -> None:
    """A whole center on SQLite, its workers running, with one enrolled box."""
    settings = CenterSettings(data=folder / "center", edges=(EdgeEntry(id=EDGE_ID, token=SecretStr(_TOKEN)),))
    center = await open_center(settings)
    await center.edges.enrol(EnrolRequest(edge_id=EDGE_ID, token=SecretStr(_TOKEN), public_key=public_key))
    await serve(create_app(center), listener)
    await center.close()


def main() -> None:
    """Run one server on an inherited socket."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("public_key")
    parser.add_argument("socket", type=int)
    given = parser.parse_args()
    listener = socket.socket(fileno=given.socket)
    if given.engine == "matpho":
        asyncio.run(serve_center(given.folder, given.public_key, listener))
    else:
        app = plain_app(given.folder, given.public_key, each=given.engine == "plain-each")
        asyncio.run(serve(app, listener))


if __name__ == "__main__":
    main()
