"""The demo's conductor: city, center, box in their order, then the address and the sign-ins, then Ctrl-C.

1 the port, before anything is started; 2 the home; 3 the cameras, then the settings; 4 the center; 5 accounts and the
box's enrolment token; 6 the box; 7 wait for the first event; 8 say where to look; 9 run until a part ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from matpho.connecting import Operator, center_is_running, connect
from matpho.demo.children import Child
from matpho.demo.city import demo_sites
from matpho.demo.files import (
    CAMERA_PASSWORD,
    CAMERA_USER,
    EDGE_ID,
    ENROL_TOKEN,
    PROVINCE,
    require_own_home,
    write_box,
    write_installation,
)
from matpho.demo.signins import SignIn, sign_ins, write_private
from matpho.home import Home
from matpho.serving import AlreadyRunningError, listen
from matpho_contracts.signing import SigningKey

CITY_SECONDS, CENTER_SECONDS, BOX_SECONDS = 120.0, 120.0, 120.0
"""How long each part may take to be ready: a slow machine gets its time, a broken one its sentence."""
FIRST_EVENT_SECONDS = 90.0


async def run(home: Home, *, port: int, cameras: int, seed: str, detector: str) -> None:
    """Start everything, show where to look, stop everything. Raises MatphoError with one clear sentence."""
    demo = _Demo(home, port, cameras, seed, detector)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    playing = asyncio.create_task(demo.play())
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if playing.done():
            playing.result()
    finally:
        stopped.cancel()
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await demo.stop()


class _Demo:
    def __init__(self, home: Home, port: int, cameras: int, seed: str, detector: str) -> None:
        self._home, self._port, self._cameras, self._seed = home, port, cameras, seed
        self._detector = detector
        self._console = Console()
        self._children: list[Child] = []
        self._began = time.monotonic()

    async def play(self) -> None:
        """Everything up to the end of a part."""
        home = self._home
        if center_is_running(home):
            raise AlreadyRunningError(f"A center is already running in {home.root}.", action="Stop it first.")
        listen("127.0.0.1", self._port).close()  # 1
        self._say("Drawing the city …")
        sites = await asyncio.to_thread(demo_sites, self._seed, self._cameras, 12.0)
        require_own_home(home)  # 2
        password = secrets.token_urlsafe(12)
        account = {"username": CAMERA_USER, "password": password}
        write_private(home.demo / "camera-account.json", json.dumps(account))
        # The authentication centre of the city answers whoever signs with our center's key.
        write_private(home.demo / "unit-key.hex", SigningKey.load_or_create(home.center_key).public.raw.hex())
        city = await self._start(  # 3
            "The city",
            "matpho.demo.city",
            [str(home.demo), "--cameras", str(self._cameras), "--seed", self._seed],
            CITY_SECONDS,
        )
        write_installation(home, sites, city["authentication_centre"])
        center = await self._start(
            "The center", "matpho.demo.center", [str(home.root), "--port", str(self._port)], CENTER_SECONDS
        )  # 4
        people = await self._people()  # 5
        os.environ[CAMERA_PASSWORD] = password
        box_file = write_box(
            home,
            sites,
            center_url=str(center["url"]),
            discovery_port=int(city["discovery_port"]),
            detector=self._detector,
        )
        await self._start("The edge box", "matpho.demo.box", [str(box_file)], BOX_SECONDS)  # 6
        await self._first_event()  # 7
        self._show(str(center["url"]), people)  # 8
        ended = [asyncio.create_task(child.ended()) for child in self._children]
        done, _ = await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)  # 9
        raise next(iter(done)).result()

    async def stop(self) -> None:
        """Stop the parts, the last started first."""
        if self._children:
            self._say("Stopping …")
        for child in reversed(self._children):
            await child.stop()
        if self._children:
            self._say("Stopped.")

    async def _start(self, name: str, module: str, arguments: Sequence[str], within_s: float) -> dict[str, Any]:
        self._say(f"{name} is starting …")
        child = Child(name, module, arguments, self._home.demo / "logs" / f"{module.rpartition('.')[2]}.log")
        self._children.append(child)
        ready = await child.start(lambda what: self._say(f"  {what}"), within_s)
        return dict(ready)

    async def _people(self) -> list[SignIn]:
        """Accounts for every role, and the box's token in the environment of what is started next."""
        async with connect(self._home) as operator:
            about = await operator.get("/installation")
            communes = [area["code"] for area in about["areas"] if area["code"] != PROVINCE]
            people = sign_ins(self._home.demo / "sign-ins.json", communes)
            known = {user["id"] for user in await operator.get("/users")}
            marker = self._home.demo / "accounts-made"
            if not marker.exists() or not known >= {one.id for one in people}:
                for one in people:
                    await operator.post("/users", _account(one))
                marker.touch()
            os.environ[ENROL_TOKEN] = (await operator.post("/boxes", {"id": EDGE_ID}))["token"]
        return people

    async def _first_event(self) -> None:
        """Wait until something can be found, and say how long it took."""
        self._say("Watching for the first events …")
        async with connect(self._home) as operator:
            until = time.monotonic() + FIRST_EVENT_SECONDS
            while time.monotonic() < until:
                found = await _found(operator)
                if found:
                    self._say(f"{found} events can be searched.")
                    return
                await asyncio.sleep(0.5)
        self._say("No event yet; the cameras go on watching.")

    def _say(self, text: str) -> None:
        self._console.print(f"[{time.monotonic() - self._began:5.1f} s] {text}", highlight=False, markup=False)

    def _show(self, url: str, people: Sequence[SignIn]) -> None:
        table = Table(title=f"Mắt phố: {url}", title_justify="left")
        for column in ("role", "user", "password", "name"):
            table.add_column(column)
        for one in people:
            table.add_row(one.role.value, one.id, one.password, one.name)
        self._console.print(table)
        where = "" if self._home == Home.find() else f" --home {self._home.root}"
        ask = f'./dev run matpho ask "có xe tải trắng nào không" --as officer{where}'
        self._console.print(f"Ask in the browser, or: {ask}", markup=False, soft_wrap=True)
        self._console.print("Ctrl-C stops everything.")


def _account(one: SignIn) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "role": one.role.value,
        "areas": list(one.areas),
        "password": one.password,
    }


async def _found(operator: Operator) -> int:
    call = {"user": "commander", "tool": "search_events", "arguments": {"limit": 1}}
    result = await operator.post("/tools", call)
    return int(result["data"].get("total", 0))
