"""What `matpho index` does: a box of its own (key, outbox, marks) that reads one source into the center."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from matpho.connecting import center_is_running, connect
from matpho.home import Home
from matpho.settings import MatphoSettings
from matpho_contracts.edge_api import CameraReport, StatusReport
from matpho_contracts.errors import BadInputError, MatphoError
from matpho_contracts.ids import is_short_id
from matpho_contracts.signing import SigningKey
from matpho_contracts.times import now
from matpho_edge.compose import Place
from matpho_edge.credentials import Credentials
from matpho_edge.detect import load_detector
from matpho_edge.indexing import IndexReport, IndexRun, Progress
from matpho_edge.outbox import Outbox
from matpho_edge.uplink import Uplink
from matpho_edge.uplink_link import CenterLink
from matpho_embeddings.models import load_encoder

EDGE_ID = "indexing"
SEND_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class IndexOrder:
    """What is to be indexed, as whom, with what."""

    source: str
    camera_id: str
    camera_name: str = ""
    area: str = ""
    """Empty: the first area of the installation."""
    detector: str = ""
    encoder: str = ""
    started_at: datetime | None = None
    fps: float = 5.0
    username: str = ""
    password: SecretStr | None = None


@asynccontextmanager
async def _center_url(home: Home) -> AsyncIterator[str]:
    """The address of the running center, or of one that serves on loopback while the block runs."""
    if center_is_running(home):
        async with connect(home) as operator:
            about = await operator.get("/installation")
        yield str(about["url"])
        return
    from matpho.installation import open_installation
    from matpho.serving import listen, running, serve_owner
    from matpho_platform.web.app import create_app

    async with open_installation(home) as installation, AsyncExitStack() as stack:
        sock = listen("127.0.0.1", 0)
        installation.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        await stack.enter_async_context(running(create_app(installation.center), sock))
        await stack.enter_async_context(serve_owner(installation))
        yield installation.url


async def index(home: Home, order: IndexOrder, on_progress: Callable[[Progress], None]) -> IndexReport:
    """Read the source to its end and send all of it; cancel to stop, run again to go on.

    Raises BadInputError for what cannot be indexed, UnavailableError when something does not answer. Nothing is lost.
    """
    if not is_short_id(order.camera_id):
        raise BadInputError(f"{order.camera_id!r} is no camera id.", action="Use letters, digits, dots and dashes.")
    settings = MatphoSettings.of(home)
    area = order.area or settings.areas[0].code
    place = Place(EDGE_ID, order.camera_id, area, order.camera_name or order.camera_id)
    detector = await asyncio.to_thread(lambda: load_detector(order.detector or settings.detector, threads=2))
    encoder = await asyncio.to_thread(lambda: load_encoder(order.encoder or settings.encoder, threads=2))
    run_in = home.indexing
    outbox = await asyncio.to_thread(Outbox.open, run_in / "outbox.db")
    try:
        async with _center_url(home) as url, _uplink(home, url, outbox, place) as uplink:
            run = IndexRun(
                order.source,
                place,
                detector=detector,
                encoder=encoder,
                sink=outbox,
                state_dir=run_in,
                started_at=order.started_at,
                fps=order.fps,
                credentials=_credentials(order),
                on_progress=on_progress,
            )
            sender = asyncio.create_task(_send(uplink))
            try:
                return await run.run()
            finally:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)
                await uplink.drain()
    finally:
        await asyncio.to_thread(outbox.close)


def _credentials(order: IndexOrder) -> Credentials | None:
    return Credentials(order.username, order.password) if order.username and order.password else None


@asynccontextmanager
async def _uplink(home: Home, url: str, outbox: Outbox, place: Place) -> AsyncIterator[Uplink]:
    """Enrolled, and the camera made known."""
    key = await asyncio.to_thread(SigningKey.load_or_create, home.indexing / "box.pem")
    async with connect(home) as operator:
        token = SecretStr((await operator.post("/boxes", {"id": EDGE_ID}))["token"])
    link = CenterLink(url, edge_id=EDGE_ID, key=key)
    try:
        uplink = Uplink(link, outbox, key, enrol_token=token)
        await uplink.drain()
        camera = CameraReport(id=place.camera_id, name=place.camera_name, area=place.area)
        await link.report(StatusReport(edge_id=EDGE_ID, sent_at=now(), cameras=(camera,)))
        yield uplink
    finally:
        await link.close()


async def _send(uplink: Uplink) -> None:
    """Send what has gathered, now and then, while the run goes on."""
    while True:
        await asyncio.sleep(SEND_EVERY_S)
        with suppress(MatphoError):
            await uplink.drain()
