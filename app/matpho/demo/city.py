"""The demo's first process: the simulated city's cameras on loopback, discovery for them, an authentication centre.

Run as `python -m matpho.demo.city FOLDER --cameras N --seed S`. The cameras' account is read from
`FOLDER/camera-account.json`, the key that may ask the authentication centre from `FOLDER/unit-key.hex`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import time
from datetime import datetime
from pathlib import Path

from matpho.demo.children import say
from matpho.demo.registers import FIELDS, GRANTED, PURPOSES, UNIT_CODE
from matpho.logs import configure_logs
from matpho_contracts.errors import MatphoError
from matpho_contracts.signing import PublicKey, SigningKey
from matpho_contracts.times import VIETNAM, now
from matpho_simcity.authentication_centre.desk import Desk, UnitGrant
from matpho_simcity.authentication_centre.server import AuthenticationCentreServer
from matpho_simcity.camera.camera import SimulatedCamera
from matpho_simcity.camera.identity import CameraIdentity, CameraSettings
from matpho_simcity.camera.responder import DiscoveryResponder
from matpho_simcity.city_video import CityVideo
from matpho_simcity.sites import Site, city
from matpho_simcity.world.script import ScriptOptions

FRAMES_PER_SECOND = 8.0
FIRST_INCIDENT_S = 6.0
BETWEEN_INCIDENTS_S = 75.0


def demo_sites(seed: str, cameras: int, hour: float) -> list[Site]:
    """The first `cameras` sites of the city, incidents early and often, in the light of this hour."""
    options = ScriptOptions(first=FIRST_INCIDENT_S, slot=BETWEEN_INCIDENTS_S, density=0.8)
    return city(seed, options=options, hour=hour)[:cameras]


async def serve(folder: Path, cameras: int, seed: str) -> None:
    """Film until asked to stop; says on standard output when every camera answers and where discovery listens."""
    account = json.loads((folder / "camera-account.json").read_text(encoding="utf-8"))
    local = datetime.now(VIETNAM)
    sites = demo_sites(seed, cameras, local.hour + local.minute / 60)
    began = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        responder = await stack.enter_async_context(DiscoveryResponder(port=0))
        for number, site in enumerate(sites, start=1):
            camera = SimulatedCamera(
                CityVideo(site, frames_per_second=FRAMES_PER_SECOND),
                CameraIdentity(serial=site.guide.camera_id, name=site.guide.name_vi, location=("country/vn",)),
                username=account["username"],
                password=account["password"],
                settings=CameraSettings(sub_size=None),
                script_clock=lambda: time.monotonic() - began,
            )
            await stack.enter_async_context(camera)
            responder.add(camera)
            say(progress=f"{number}/{len(sites)} {site.guide.name_vi}")
        centre = await _authentication_centre(folder, stack)
        say(ready={"discovery_port": responder.port, "cameras": len(sites), "authentication_centre": centre})
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        await stop.wait()


async def _authentication_centre(folder: Path, stack: contextlib.AsyncExitStack) -> dict[str, str]:
    """Start it; gives its address and the key that its answers are signed with."""
    granted = UnitGrant(UNIT_CODE, PURPOSES, FIELDS, now() + GRANTED)
    desk = Desk(SigningKey.load_or_create(folder / "authentication-centre.pem"), [granted])
    asking = PublicKey.from_hex((folder / "unit-key.hex").read_text(encoding="utf-8"))
    server = AuthenticationCentreServer(desk, {UNIT_CODE: asking})
    await server.start()
    stack.push_async_callback(server.stop)
    return {"url": server.url, "public_key": desk.key.public.raw.hex()}


def main() -> None:
    """Read the arguments and film."""
    configure_logs()
    parser = argparse.ArgumentParser(prog="python -m matpho.demo.city", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--seed", default="1")
    given = parser.parse_args()
    try:
        asyncio.run(serve(given.folder, given.cameras, given.seed))
    except MatphoError as error:
        say(error=str(error))
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
