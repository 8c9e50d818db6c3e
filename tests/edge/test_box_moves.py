"""Turning a lens from the center: preset, home, degrees and zoom reach a real ONVIF camera; what cannot be is said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.edge.test_box import PASSWORD, Center, PaintDetector, Street, camera_of, command, settings, stop, until
from tests.edge.test_box import center as _center

from matpho_contracts.edge_api import CommandFailure, MoveArguments
from matpho_edge.box import EdgeBox
from matpho_edge.credentials import Credentials
from matpho_edge.onvif import OnvifCamera

ADMIN = Credentials("admin", PASSWORD)
center = _center
"""The stand-in center of the box's tests."""


async def remember(port: int, name: str, pan: float) -> None:
    """Turn the camera, give the direction a name, turn it home again."""
    async with await OnvifCamera.connect("127.0.0.1", port, ADMIN) as camera:
        await camera.move_to(pan=pan, tilt=0.0)
        await standing(camera, pan)
        await camera.set_preset(name)
        await camera.home()
        await standing(camera, 0.0)


async def standing(camera: OnvifCamera, pan: float) -> None:
    for _ in range(200):
        status = await camera.status()
        if status.pan is not None and abs(status.pan - pan) < 0.5 and not status.moving:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"the lens does not come to {pan}°")


async def test_every_way_to_turn_reaches_the_lens(tmp_path: Path, center: Center) -> None:
    street = Street()
    async with camera_of(street) as device:
        await remember(device.ports.http, "Cổng chính", 30.0)
        box = EdgeBox(settings(tmp_path, {"onvif": f"127.0.0.1:{device.ports.http}"}, center), detector=PaintDetector())
        running = asyncio.create_task(box.run())
        await until(lambda: bool(center.reports) and bool(center.reports[-1].cameras[0].presets))
        assert center.reports[-1].cameras[0].presets == ("Cổng chính",)
        assert center.reports[-1].sent_at <= datetime.now(UTC)

        async def turn(move: MoveArguments) -> bytes:
            asked = command(move)
            center.commands = [asked]
            await until(lambda: asked.id in center.results)
            center.commands = []
            return bytes(center.results[asked.id][1])

        async with await OnvifCamera.connect("127.0.0.1", device.ports.http, ADMIN) as camera:
            assert await turn(MoveArguments(preset="cong chinh")) == b""
            await standing(camera, 30.0)
            assert await turn(MoveArguments(home=True)) == b""
            await standing(camera, 0.0)
            assert await turn(MoveArguments(pan=-12, tilt=4, zoom=0.25)) == b""
            await standing(camera, -12.0)
            assert (await camera.status()).zoom == pytest.approx(0.25, abs=0.02)
        assert CommandFailure.model_validate_json(await turn(MoveArguments(preset="bến xe"))).code == "not_found"
        await stop(running)
