"""One live camera, from its source to the outbox: every picture passes the gate, the newest gets a turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

import structlog

from matpho_contracts.errors import MatphoError
from matpho_contracts.times import now
from matpho_edge.pipeline_analyst import Analyst
from matpho_edge.pipeline_turns import Turns
from matpho_edge.rules import CameraOffline, CameraOfflineParameters

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from matpho_edge.frames import Frame, FrameSource

_RATE_LOOKS = 20

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class PipelineStats:
    """How one camera's pipeline is doing. Rates are pictures a second over the last looks, times milliseconds."""

    frames: int = 0
    opened: int = 0
    """Pictures that the gate found worth a look."""
    superseded: int = 0
    """Of those, given up for a newer one while the camera waited for its turn."""
    failures: int = 0
    look_ms: float = 0.0
    """Running mean of one look."""
    last_frame_at: datetime | None = None
    """The newest picture's own time."""
    last_arrival: datetime | None = None
    """When it came, by this machine's clock."""


class CameraPipeline:
    """Runs until its source ends or it is cancelled; nothing that a picture does ends it."""

    def __init__(self, analyst: Analyst, turns: Turns, *, offline: CameraOfflineParameters | None = None) -> None:
        self.analyst = analyst
        self.stats = PipelineStats()
        self._turns = turns
        self._offline = None if offline is not None and not offline.enabled else CameraOffline(offline)
        self._alone = asyncio.Lock()
        """The analyst is asked by one at a time, whatever the number of workers."""
        self._newest: Frame | None = None
        self._wanted = asyncio.Event()
        self._ended = False
        self._looks: deque[float] = deque(maxlen=_RATE_LOOKS)

    @property
    def analysed_fps(self) -> float:
        """Looks a second over the last ones, 0 before the second."""
        if len(self._looks) < 2:
            return 0.0
        return (len(self._looks) - 1) / max(self._looks[-1] - self._looks[0], 1e-6)

    @property
    def offline(self) -> bool:
        """Whether the camera is said to be offline."""
        return self._offline is not None and self._offline.down

    async def run(self, source: FrameSource) -> None:
        """Read and judge until the source ends."""
        reader = asyncio.create_task(self._read(source))
        try:
            while await self._next_wanted():
                await self._one_turn()
            await reader
            async with self._alone, self._turns.turn():
                await self._turns.run(self.analyst.finish)
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def tick(self, at: datetime | None = None) -> bool:
        """Ask whether the camera is still there; call it every second or so. True when an outage was just reported."""
        if self._offline is None:
            return False
        hit = self._offline.observe_source(self.stats.last_arrival, at or now())
        if hit is None:
            return False
        async with self._alone, self._turns.turn():
            await self._turns.run(lambda: self.analyst.report(hit))
        return True

    async def _read(self, source: FrameSource) -> None:
        try:
            frames = cast("AsyncGenerator[Frame, None]", source.frames())
            async with aclosing(frames) as pictures:
                await self._take_all(pictures)
        finally:
            self._ended = True
            self._wanted.set()

    async def _take_all(self, pictures: AsyncIterator[Frame]) -> None:
        async for frame in pictures:
            self.stats.frames += 1
            self.stats.last_frame_at, self.stats.last_arrival = frame.captured_at, now()
            if not self.analyst.open_for(frame).analyse:
                continue
            self.stats.opened += 1
            self.stats.superseded += self._newest is not None
            self._newest = frame
            self._wanted.set()

    async def _next_wanted(self) -> bool:
        """Wait for a picture worth a look; False when there will be none."""
        await self._wanted.wait()
        return self._newest is not None or not self._ended

    async def _one_turn(self) -> None:
        """Wait for a turn and spend it on what is the newest picture by then."""
        async with self._alone, self._turns.turn():
            frame, self._newest = self._newest, None
            if not self._ended:
                self._wanted.clear()
            if frame is None:
                return
            loop = asyncio.get_running_loop()
            began = loop.time()
            try:
                await self._turns.run(lambda: self.analyst.look(frame))
            except MatphoError as error:
                self._failed(error)
            except (ValueError, RuntimeError, ArithmeticError, IndexError, KeyError) as error:
                self._failed(error)
            ended = loop.time()
            self._looks.append(ended)
            spent = (ended - began) * 1000
            self.stats.look_ms += (spent - self.stats.look_ms) * (1.0 if self.stats.look_ms == 0 else 0.1)

    def _failed(self, error: Exception) -> None:
        """One picture that cannot be judged is counted, and the next one is taken."""
        self.stats.failures += 1
        if self.stats.failures in (1, 10, 100, 1000) or self.stats.failures % 10_000 == 0:
            camera = self.analyst.place.camera_id
            _log.error(
                "look failed", camera=camera, times=self.stats.failures, error=f"{type(error).__name__}: {error}"
            )
