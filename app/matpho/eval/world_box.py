"""The stand-in box of a world: signs what its cameras saw, reports how they are, and answers what the center asks.

A camera that is not offline gives a drawn picture, a short film or the acknowledgement of a move; an offline one fails,
as a box says it when a camera does not answer. What was moved is kept, to be held against what was agreed to.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from matpho.eval.world_file import World, WorldCamera, WorldEvent, WorldObject
from matpho_contracts.edge_api import CameraHealth, CameraReport, Command, CommandFailure, EnrolRequest, StatusReport
from matpho_contracts.events import MAX_OBJECTS, Caption, Event, EventData, Plate, Rule, SeenObject, source_urn
from matpho_contracts.geometry import Box, Location
from matpho_contracts.signing import SigningKey, sign_batch
from matpho_contracts.text import fold
from matpho_contracts.times import now
from matpho_contracts.vocabulary import EventType
from matpho_contracts.wire import encode_batch
from matpho_platform.cameras.edges import EdgeEntry, EdgeKey
from matpho_platform.center import Center

EDGE_ID = "world-box"
CAMERAS_A_REPORT = 500
EVENTS_A_BATCH = 200
WAIT_S = 20.0
"""How long the box waits for an order before it reports again that it lives; the center believes it for 90 s."""
LASTING = timedelta(seconds=5)
"""A world says when an event began, not how long it went on."""
CONFIDENCE = 0.9
FPS = 12.0
_CLEAR, _POOR = (0.5, 400.0), (0.08, 9.0)
"""Brightness and sharpness of a good picture and of a degraded one."""
_PEOPLE = re.compile(r"\b(\d{1,5}) (?:nguoi|people|persons)\b")


class WorldBox:
    """One box for all cameras of a world."""

    def __init__(self, center: Center, world: World, key: SigningKey) -> None:
        self._center = center
        self._world = world
        self._key = key
        self._offline = {camera.id for camera in world.cameras if camera.status == "offline"}
        self.moves: list[tuple[str, dict[str, object]]] = []
        """Every move that a camera was told to make: the camera and the order."""

    async def enrol(self) -> None:
        """Become known to the center, once for a store."""
        await self._center.edges.configure([EdgeEntry(id=EDGE_ID)])
        token = await self._center.edges.issue_token(EDGE_ID)
        public = self._key.public.raw.hex()
        await self._center.edges.enrol(
            EnrolRequest.model_validate({"edge_id": EDGE_ID, "token": token, "public_key": public})
        )

    async def report_cameras(self) -> None:
        """Every camera and how it is."""
        lost = _lost_at(self._world)
        for start in range(0, len(self._world.cameras), CAMERAS_A_REPORT):
            part = self._world.cameras[start : start + CAMERAS_A_REPORT]
            await self._report(
                tuple(_camera(camera) for camera in part),
                tuple(_health(camera, self._world.now, lost.get(camera.id)) for camera in part),
            )

    async def send_events(self) -> None:
        """Every event of the world, signed; raises RuntimeError when the center refuses one."""
        cameras = {camera.id: camera for camera in self._world.cameras}
        events = sorted(self._world.events, key=lambda event: event.time)
        at = max([self._world.now, *(event.time for event in events[-1:])])
        for start in range(0, len(events), EVENTS_A_BATCH):
            raws = [signed_event(event, cameras[event.camera_id]) for event in events[start : start + EVENTS_A_BATCH]]
            header = sign_batch(raws, self._key, edge_id=EDGE_ID, incarnation="world", signed_at=at)
            answer = await self._center.intake.receive(encode_batch(header, raws, {}), at=at)
            refused = next((result for result in answer.results if result.status == "rejected"), None)
            if refused is not None:
                raise RuntimeError(f"the center refused the event {refused.id}: {refused.reason}")

    async def serve(self) -> None:
        """Answer the center until cancelled."""
        while True:
            await self._report((), ())
            for command in await self._center.commands.wait(EDGE_ID, WAIT_S):
                self._center.commands.answer(EDGE_ID, command.id, self._answer(command))

    def _answer(self, command: Command) -> bytes | CommandFailure:
        if command.camera_id in self._offline:
            return CommandFailure(code="unavailable", message="The camera does not answer.")
        arguments = command.arguments
        if arguments.kind == "snapshot":
            return stand_in_picture()
        if arguments.kind == "clip":
            return stand_in_film()
        self.moves.append((command.camera_id, arguments.model_dump()))
        return b""

    async def _report(self, cameras: tuple[CameraReport, ...], health: tuple[CameraHealth, ...]) -> None:
        report = StatusReport(edge_id=EDGE_ID, sent_at=now(), cameras=cameras, health=health)
        await self._center.registry.report(report, EdgeKey(self._key.public, EDGE_ID, (), None))


def _lost_at(world: World) -> dict[str, datetime]:
    """When each camera was last said to be lost: its newest `camera_offline` event up to the world's present."""
    lost: dict[str, datetime] = {}
    for event in world.events:
        if event.type == EventType.CAMERA_OFFLINE and event.time <= world.now:
            lost[event.camera_id] = max(event.time, lost.get(event.camera_id, event.time))
    return lost


def _camera(camera: WorldCamera) -> CameraReport:
    return CameraReport(
        id=camera.id,
        name=camera.name,
        aliases=camera.aliases[:32],
        area=camera.area,
        kind=camera.kind,
        owner=camera.owner,
        location=_location(camera),
        presets=camera.presets,
    )


def _health(camera: WorldCamera, present: datetime, lost_at: datetime | None) -> CameraHealth:
    offline = camera.status == "offline"
    brightness, sharpness = _POOR if camera.status == "degraded" else _CLEAR
    return CameraHealth(
        id=camera.id,
        status=camera.status,
        since=lost_at if offline and lost_at else present,
        fps=0.0 if offline else FPS,
        last_frame_at=lost_at if offline else present,
        brightness=0.0 if offline else brightness,
        sharpness=0.0 if offline else sharpness,
        reason="the camera does not answer" if offline else "",
    )


def _location(camera: WorldCamera) -> Location | None:
    return Location(lat=camera.location[0], lon=camera.location[1]) if camera.location else None


def signed_event(event: WorldEvent, camera: WorldCamera) -> bytes:
    """The canonical bytes of an event of the world, as a box composes it."""
    seen = tuple(_seen(thing, number, event) for number, thing in enumerate(event.objects[:MAX_OBJECTS]))
    return Event(
        id=event.id,
        source=source_urn(EDGE_ID, camera.id),
        type=f"vn.matpho.{event.type.value}",
        time=event.time,
        data=EventData(
            camera_id=camera.id,
            area=camera.area,
            start=event.time,
            end=event.time + LASTING,
            severity=event.severity,
            location=_location(camera),
            objects=seen,
            object_count=count_of(event),
            caption=Caption(vi=event.caption_vi, en=event.caption_en),
            rule=Rule(name=event.type.value),
        ),
    ).canonical()


def count_of(event: WorldEvent) -> int:
    """How many were there at once: as the world counts, else the people that its captions count, else its objects.

    A box writes captions from its count, so a caption of "about 60 people" is the count where a world gives no other.
    """
    if event.object_count is not None:
        return event.object_count
    said = [int(found[1]) for text in (event.caption_vi, event.caption_en) if (found := _PEOPLE.search(fold(text)))]
    return max([len(event.objects), *said])


def _seen(thing: WorldObject, number: int, event: WorldEvent) -> SeenObject:
    column, row = number % 8, number // 8
    corner = (column / 8, row / 8)
    return SeenObject.model_validate(
        {
            "class": thing.label,
            "colour": thing.colour,
            "confidence": CONFIDENCE,
            "track_id": number,
            "box": Box(x1=corner[0], y1=corner[1], x2=corner[0] + 0.1, y2=corner[1] + 0.1),
            "first_seen": event.time,
            "last_seen": event.time + LASTING,
            "plate": Plate.read(thing.plate, CONFIDENCE) if thing.plate else None,
        }
    )


@cache
def stand_in_picture() -> bytes:
    """A JPEG of a drawn street corner, 640 x 360."""
    import cv2  # heavy: only who draws pays for it

    return bytes(cv2.imencode(".jpg", next(_frames(640, 360, 1)))[1])


@cache
def stand_in_film() -> bytes:
    """Two seconds of H.264 in an MP4: a car drives along the drawn street."""
    import av  # heavy: only who films pays for it

    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for picture in _frames(320, 180, 20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return target.getvalue()


def _frames(width: int, height: int, count: int) -> Iterator[NDArray[np.uint8]]:
    """(height, width, 3) BGR: sky, houses, a street, a red car on its way."""
    for number in range(count):
        picture = np.full((height, width, 3), (200, 180, 150), np.uint8)
        picture[height // 4 : height * 3 // 5, : width * 2 // 3] = (110, 140, 170)
        picture[height * 3 // 5 :] = (90, 90, 90)
        left = number * width // (2 * max(count, 1))
        picture[height * 2 // 3 : height * 4 // 5, left : left + width // 5] = (40, 40, 200)
        yield picture
