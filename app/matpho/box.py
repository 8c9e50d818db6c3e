"""Running one edge box from its settings file until it is asked to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from matpho_contracts.settings import load_settings
from matpho_edge.box import EdgeBox
from matpho_edge.settings import EdgeSettings


async def run_box(settings_file: Path, ready: Callable[[int], None]) -> None:
    """Run until SIGTERM or SIGINT; calls `ready` with the number of cameras once every part runs."""
    box = EdgeBox(load_settings(settings_file, EdgeSettings))
    running = asyncio.create_task(box.run())
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, running.cancel)
    started = asyncio.create_task(box.started.wait())
    await asyncio.wait({running, started}, return_when=asyncio.FIRST_COMPLETED)
    if started.done():
        ready(len(box.cameras))
    started.cancel()
    try:
        await running
    except asyncio.CancelledError:
        return
