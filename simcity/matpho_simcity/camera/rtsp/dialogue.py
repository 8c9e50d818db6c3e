"""The RTSP conversation with one client, one method per function, judged in a fixed order.

A request is checked in this order: 1 version (505), 2 CSeq (400), 3 known method (501, 405), 4 Require (551),
5 credentials (401; OPTIONS needs none), 6 session named (454), 7 the method's own rules.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from matpho_simcity.camera.digest import Verdict, parse_authorization
from matpho_simcity.camera.rtsp.message import (
    InterleavedFrame,
    RtspProblemError,
    RtspRequest,
    RtspResponse,
    read_message,
)
from matpho_simcity.camera.rtsp.session import RtspSession, State
from matpho_simcity.camera.rtsp.stream import TRACK, LiveStream
from matpho_simcity.camera.rtsp.transport import InterleavedSink, UdpSink, choose_transport

if TYPE_CHECKING:
    from matpho_simcity.camera.rtsp.server import RtspServer

SERVER_NAME = "matpho-simcity"
NOT_FOR_CAMERAS = frozenset({"ANNOUNCE", "RECORD", "REDIRECT"})


class Dialogue:
    """Reads requests from one connection until it ends, and answers each."""

    def __init__(self, server: RtspServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._peer = str(writer.get_extra_info("peername")[0])
        self._held_nonce: str | None = None
        self._own: dict[str, RtspSession] = {}
        self._methods: dict[str, Callable[[RtspRequest], Awaitable[RtspResponse]]] = {
            "OPTIONS": self._options,
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "PAUSE": self._pause,
            "TEARDOWN": self._teardown,
            "GET_PARAMETER": self._parameter,
            "SET_PARAMETER": self._set_parameter,
        }

    async def run(self) -> None:
        """Serve until the client leaves, is idle for too long, or breaks the rules beyond an answer."""
        try:
            while await self._turn():
                pass
        finally:
            # A session whose packets travel on this connection dies with it; a UDP session lives until its timeout.
            for session in self._own.values():
                if isinstance(session.sink, InterleavedSink):
                    self._server.end_session(session)

    async def _turn(self) -> bool:
        request: RtspRequest | None = None
        limits = self._server.limits
        # Without a session (or before its client proved anything) a connection may stay only briefly.
        patience = limits.rtsp_session_timeout if self._held_nonce else limits.rtsp_request_timeout
        try:
            message = await read_message(self._reader, patience, limits.rtsp_request_timeout)
            if isinstance(message, InterleavedFrame):
                self._hear(message)
                return True
            if message is None:
                return False
            request = message
            response = await self._answer(request)
        except TimeoutError:
            # A quiet connection stays while a session on it lives: UDP clients keep theirs alive by RTCP.
            return bool(self._live())
        except RtspProblemError as problem:
            response = RtspResponse(problem.status, {**problem.headers})
            if problem.fatal:
                response.headers["Connection"] = "close"
        return await self._send(request, response)

    def _hear(self, frame: InterleavedFrame) -> None:
        """A client's RTCP is a sign of life; binary data that belongs to no session ends the connection."""
        sessions = [one for one in self._live() if isinstance(one.sink, InterleavedSink)]
        if not sessions:
            raise RtspProblemError(400, fatal=True)
        for session in sessions:
            if isinstance(session.sink, InterleavedSink) and frame.channel in session.sink.channels:
                session.touch()

    async def _send(self, request: RtspRequest | None, response: RtspResponse) -> bool:
        fixed: dict[str, str | list[str]] = {"Server": SERVER_NAME}
        if request is not None and re.fullmatch(r"\d{1,10}", request.headers.get("cseq", "")):
            fixed = {"CSeq": request.headers["cseq"], **fixed}
        response.headers = {**fixed, **response.headers}
        self._writer.write(response.encode())
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(self._server.limits.rtsp_request_timeout):
                await self._writer.drain()
            return response.headers.get("Connection") != "close"
        return False

    async def _answer(self, request: RtspRequest) -> RtspResponse:
        if request.version != "1.0":  # 1
            raise RtspProblemError(505, fatal=True)
        if not re.fullmatch(r"\d{1,10}", request.headers.get("cseq", "")):  # 2
            raise RtspProblemError(400)
        method = self._methods.get(request.method)  # 3
        if method is None:
            allow = {"Allow": ", ".join(self._methods)}
            raise RtspProblemError(405 if request.method in NOT_FOR_CAMERAS else 501, headers=allow)
        if required := request.headers.get("require"):  # 4
            raise RtspProblemError(551, headers={"Unsupported": required})
        if request.method != "OPTIONS":  # 5
            verdict = self._judge(request)
            if verdict is not Verdict.ALLOWED:
                challenges = self._server.guard.challenges(stale=verdict is Verdict.STALE)
                return RtspResponse(401, {"WWW-Authenticate": challenges})
        self._named_session(request)  # 6
        return await method(request)  # 7

    def _judge(self, request: RtspRequest) -> Verdict:
        header = request.headers.get("authorization")
        verdict = self._server.guard.judge(header, request.method, request.target, held_nonce=self._held_nonce)
        answer = parse_authorization(header) if header and verdict is Verdict.ALLOWED else None
        self._held_nonce = answer.nonce if answer else self._held_nonce
        return verdict

    def _named_session(self, request: RtspRequest, *, needed: bool = False) -> RtspSession | None:
        name = request.headers.get("session", "").partition(";")[0].strip()
        session = self._server.sessions.get(name)
        if session is None and (name or needed):
            raise RtspProblemError(454)
        if session:
            session.touch()
        return session

    def _session(self, request: RtspRequest) -> RtspSession:
        session = self._named_session(request, needed=True)
        assert session is not None  # noqa: S101 - a missing session raised 454
        return session

    def _stream(self, request: RtspRequest) -> tuple[LiveStream, str]:
        """The stream a URL names and what follows its path (the track)."""
        path = urlsplit(request.target).path
        for known, stream in self._server.streams.items():
            if path.rstrip("/") == known or path.startswith(known + "/"):
                return stream, path[len(known) :].strip("/")
        raise RtspProblemError(404)

    async def _options(self, request: RtspRequest) -> RtspResponse:
        return RtspResponse(headers={"Public": ", ".join(self._methods)})

    async def _describe(self, request: RtspRequest) -> RtspResponse:
        stream, rest = self._stream(request)
        if rest:
            raise RtspProblemError(404)
        base = request.target.split("?")[0].rstrip("/") + "/"
        body = stream.description(self._server.host, int(time.time()))
        return RtspResponse(headers={"Content-Base": base, "Content-Type": "application/sdp"}, body=body)

    async def _setup(self, request: RtspRequest) -> RtspResponse:
        stream, track = self._stream(request)
        if track != TRACK:
            raise RtspProblemError(404 if track else 459)
        if self._named_session(request):
            raise RtspProblemError(455)  # one track a session, and its transport cannot change
        wish = choose_transport(request.headers.get("transport", ""), self._free_channel())
        control = request.target
        session = RtspSession(stream, control, self._drop)
        self._server.add_session(session)
        try:
            session.sink = (
                InterleavedSink(self._writer, self._channels(wish.pair), self._server.limits.rtsp_queue_bytes)
                if wish.interleaved
                else await UdpSink.open(self._server.host, self._peer, wish.pair, session.touch)
            )
        except RtspProblemError:
            self._server.end_session(session)
            raise
        self._own[session.id] = session
        ssrc = f';ssrc={session.source:08X};mode="PLAY"'
        return RtspResponse(headers={"Transport": session.sink.header + ssrc, **self._session_header(session)})

    def _free_channel(self) -> int:
        used = [max(one.sink.channels) for one in self._live() if isinstance(one.sink, InterleavedSink)]
        return max(used, default=-1) + 1

    def _channels(self, pair: tuple[int, int]) -> tuple[int, int]:
        used = {
            channel for one in self._live() if isinstance(one.sink, InterleavedSink) for channel in one.sink.channels
        }
        if used & set(pair):
            raise RtspProblemError(461)
        return pair

    def _live(self) -> list[RtspSession]:
        return [session for session in self._own.values() if session.id in self._server.sessions]

    def _session_header(self, session: RtspSession) -> dict[str, str]:
        return {"Session": f"{session.id};timeout={int(self._server.limits.rtsp_session_timeout)}"}

    async def _play(self, request: RtspRequest) -> RtspResponse:
        session = self._session(request)
        self._stream_of(request, session)
        if not request.headers.get("range", "npt=0-").startswith("npt="):
            raise RtspProblemError(457)
        numbers = session.play()
        headers = {"Range": "npt=0.000-", "RTP-Info": f"url={session.control};{numbers}"}
        return RtspResponse(headers={**self._session_header(session), **headers})

    def _stream_of(self, request: RtspRequest, session: RtspSession) -> None:
        stream, rest = self._stream(request)
        if stream is not session.stream or rest not in ("", TRACK):
            raise RtspProblemError(404)

    async def _pause(self, request: RtspRequest) -> RtspResponse:
        session = self._session(request)
        if session.state is not State.PLAYING:
            raise RtspProblemError(455)
        session.pause()
        return RtspResponse(headers=dict(self._session_header(session)))

    async def _teardown(self, request: RtspRequest) -> RtspResponse:
        session = self._session(request)
        self._server.end_session(session)
        self._own.pop(session.id, None)
        return RtspResponse(headers={"Session": session.id})

    async def _parameter(self, request: RtspRequest) -> RtspResponse:
        """An empty GET_PARAMETER is a sign of life; there is no parameter to read."""
        if request.body.strip():
            raise RtspProblemError(451)
        session = self._named_session(request)
        return RtspResponse(headers=dict(self._session_header(session)) if session else {})

    async def _set_parameter(self, request: RtspRequest) -> RtspResponse:
        return await self._parameter(request)

    def _drop(self) -> None:
        """The client reads too slowly: cut it off, so that nobody else waits for it."""
        self._writer.transport.abort()
