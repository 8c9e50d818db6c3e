"""The RTSP server of one camera: connections, sessions, their limits and their end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping

from matpho_simcity.camera.access import Account, Nonces
from matpho_simcity.camera.digest import DigestGuard
from matpho_simcity.camera.errors import PortTakenError
from matpho_simcity.camera.identity import CameraLimits
from matpho_simcity.camera.rtsp.dialogue import Dialogue
from matpho_simcity.camera.rtsp.message import MAX_HEADER_BYTES, RtspProblemError, RtspResponse
from matpho_simcity.camera.rtsp.session import RtspSession
from matpho_simcity.camera.rtsp.stream import LiveStream

SWEEP_SECONDS = 1.0


class RtspServer:
    """Listens on one TCP port and serves the camera's streams to whoever proves the password."""

    def __init__(
        self,
        host: str,
        port: int,
        streams: Mapping[str, LiveStream],
        account: Account,
        realm: str,
        limits: CameraLimits,
    ) -> None:
        self.host = host
        self.port = port
        self.streams = {stream.path: stream for stream in streams.values()}
        self.limits = limits
        self.nonces = Nonces(limits.nonce_lifetime)
        self.guard = DigestGuard(account, realm, self.nonces, offer_qop=False)
        self.sessions: dict[str, RtspSession] = {}
        self._writers: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; raises `PortTakenError` when the address cannot be used."""
        try:
            self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=MAX_HEADER_BYTES)
        except OSError as error:
            raise PortTakenError(
                f"The camera cannot listen for RTSP on {self.host}:{self.port}: {error.strerror}.",
                action="Choose another address, or port 0 for a free one.",
            ) from error
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Cut every connection and stop listening; `start` listens on the same port again."""
        if self._server is None or self._sweeper is None:
            return
        self._server.close()
        self._sweeper.cancel()
        tasks = list(self._writers.values())
        self.drop_everyone()
        await asyncio.gather(self._sweeper, *tasks, return_exceptions=True)
        self._server = self._sweeper = None

    def drop_everyone(self) -> None:
        """End all sessions and cut all connections."""
        for session in list(self.sessions.values()):
            self.end_session(session)
        for writer in list(self._writers):
            writer.transport.abort()

    def add_session(self, session: RtspSession) -> None:
        """Take a session in; raises 453 when the camera serves as many as it can."""
        if len(self.sessions) >= self.limits.rtsp_sessions:
            raise RtspProblemError(453)
        self.sessions[session.id] = session

    def end_session(self, session: RtspSession) -> None:
        """Close a session and forget it."""
        self.sessions.pop(session.id, None)
        session.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if len(self._writers) >= self.limits.rtsp_connections or task is None:
            writer.write(RtspResponse(503).encode())
            writer.close()
            return
        self._writers[writer] = task
        try:
            await Dialogue(self, reader, writer).run()
        finally:
            del self._writers[writer]
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _sweep(self) -> None:
        """End sessions whose client has given no sign of life."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for session in list(self.sessions.values()):
                if now - session.last_sign > self.limits.rtsp_session_timeout:
                    self.end_session(session)
