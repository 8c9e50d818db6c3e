"""A center killed in the middle of intake: what it acknowledged is there, whole and verified, when it is back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from matpho_contracts.edge_api import BATCHES_PATH, ENROL_PATH, IntakeAnswer
from matpho_platform.access.principal import Scope
from matpho_platform.center import open_center
from matpho_platform.events.schemas import EventFilter
from matpho_platform.settings import CenterSettings

SERVER = """
import asyncio, socket, sys
import uvicorn
from pathlib import Path
from matpho_platform.center import open_center
from matpho_platform.settings import CenterSettings
from matpho_platform.web import create_app

async def main():
    center = await open_center(CenterSettings.model_validate_json(sys.argv[1]))
    server = uvicorn.Server(uvicorn.Config(create_app(center), log_level="error", ws="none"))
    await server.serve(sockets=[socket.socket(fileno=int(sys.argv[2]))])

asyncio.run(main())
"""
KILLS = 3


def start(settings: CenterSettings) -> tuple[subprocess.Popen[bytes], str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        document = settings.model_dump(mode="json")
        document["edges"] = [{"id": "box-1", "token": "one-time-token"}]
        command = [sys.executable, "-c", SERVER, json.dumps(document)]
        port, fd = listener.getsockname()[1], listener.fileno()
        process = subprocess.Popen([*command, str(fd)], pass_fds=[fd], env={**os.environ})
    return process, f"http://127.0.0.1:{port}"


async def send_until_killed(url: str, box: Any, bodies: list[bytes], acknowledged: set[str], after: int) -> int:
    """Send batches one after the other; kill nothing here, count how many were acknowledged."""
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=30) as client:
        for number, body in enumerate(bodies):
            try:
                response = await client.post(BATCHES_PATH, content=body)
            except httpx2.HTTPError:
                return number
            results = IntakeAnswer.model_validate_json(response.content).results
            acknowledged |= {result.id for result in results if result.status in ("stored", "repeat")}
            if number == after:
                os.kill(box.server, signal.SIGKILL)
    return len(bodies)


async def test_every_acknowledged_event_survives_kills(tmp_path: Path, new_box: Any) -> None:
    settings = CenterSettings(data=tmp_path / "center")
    box = new_box()
    bodies = [box.batch([box.event() for _ in range(20)]) for _ in range(24)]
    acknowledged: set[str] = set()
    for kill in range(KILLS):
        process, url = start(settings)
        box.server = process.pid
        async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
            asked = {"edge_id": "box-1", "token": "one-time-token", "public_key": box.key.public.raw.hex()}
            assert (await client.post(ENROL_PATH, json=asked)).status_code == 200
        reached = await send_until_killed(url, box, bodies, acknowledged, after=4 + kill)
        process.wait(timeout=30)
        assert reached <= 6 + kill
        bodies = bodies[max(0, reached - 2) :]  # some again: a box that heard nothing sends the same once more
    center = await open_center(settings)
    page = await center.events.search(Scope(None), None, EventFilter(), limit=1)
    report = await center.verify_all()
    await center.close()
    assert report.intact
    assert len(acknowledged) >= 20 * 9
    stored = page.total
    assert stored >= len(acknowledged)
    assert await asyncio.to_thread(_ids, settings) >= acknowledged


def _ids(settings: CenterSettings) -> set[str]:
    import sqlite3

    with sqlite3.connect(settings.data / "center.db") as database:
        found = {row[0] for row in database.execute("SELECT id FROM events")}
    database.close()
    return found
