"""The host's one voice in WS-Discovery: answers for all cameras on it, by multicast and unicast, on loopback.

Many cameras share one host here, and a unicast datagram to port 3702 reaches only one of the sockets bound to it. So
one `DiscoveryResponder` per host answers for all, with one ProbeMatches message a camera, each with its own endpoint.

What a client has to do on a machine where everything is on loopback:

- multicast: send the Probe to 239.255.255.250:3702 from a socket with ``IP_MULTICAST_IF`` set to 127.0.0.1 (the kernel
  then loops it back on the loopback interface; no route and no interface flag is needed). To hear Hello and Bye, join
  the group with interface address 127.0.0.1 on a socket bound to port 3702 with ``SO_REUSEADDR``.
- unicast: send the same Probe to 127.0.0.1:3702 (or to the port the responder was given) and read several answers from
  the same socket until a deadline: there is one datagram per camera.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import OrderedDict
from contextlib import suppress
from typing import Self

from matpho_simcity.camera.camera import SimulatedCamera
from matpho_simcity.camera.discovery import GROUP, PORT, Question, Target, Writer, read_question
from matpho_simcity.camera.errors import PortTakenError

MAX_DATAGRAM_BYTES = 16 * 1024
REMEMBERED_QUESTIONS = 1024
REPEAT_SECONDS = 5.0  # a client sends each Probe several times; the copies get no second answer
SPREAD_SECONDS = 0.1  # answers are spread over this time so that a client's buffer is not flooded
MAX_PENDING_ANSWERS = 4096
_IP_MULTICAST_ALL = getattr(socket, "IP_MULTICAST_ALL", 49)  # Linux; 0: hear a group only where this socket joined it


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, responder: DiscoveryResponder) -> None:
        self._responder = responder

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        self._responder.hear(data, addr)

    def error_received(self, exc: Exception) -> None:
        """A client that has gone (port unreachable) concerns nobody."""


class DiscoveryResponder:
    """Answers Probe and Resolve for the cameras added to it, and says Hello and Bye for them.

    `host` is the loopback address to answer on, `port` its UDP port (0: a free one, then only unicast is served).
    `multicast` joins the group on that interface; where the machine forbids that, `multicast_works` is False and
    unicast goes on. With multicast the port is shared with whoever shares it too; without, it is ours alone.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = PORT, *, multicast: bool = True) -> None:
        self._host = host
        self.port = port
        self._wants_multicast = multicast and port != 0
        self.multicast_works = False
        self._cameras: dict[str, tuple[SimulatedCamera, Target]] = {}
        self._writer = Writer(int(time.time()))
        self._transports: list[asyncio.DatagramTransport] = []
        self._voice: asyncio.DatagramTransport | None = None
        self._seen: OrderedDict[tuple[object, str], float] = OrderedDict()
        self._pending: set[asyncio.TimerHandle] = set()

    async def start(self) -> None:
        """Listen; raises `PortTakenError` when the unicast address is taken."""
        loop = asyncio.get_running_loop()
        # Port 3702 is shared by nature: clients on this machine bind it too, to hear Hello and Bye.
        unicast = self._socket(shared=self._wants_multicast)
        try:
            unicast.bind((self._host, self.port))
        except OSError as error:
            unicast.close()
            raise PortTakenError(
                f"Discovery cannot listen on {self._host}:{self.port}: {error.strerror}.",
                action="Stop what listens there, or give the responder another port.",
            ) from error
        self.port = int(unicast.getsockname()[1])
        self._voice, _ = await loop.create_datagram_endpoint(lambda: _Listener(self), sock=unicast)
        self._transports = [self._voice]
        if self._wants_multicast and (group := self._group_socket()) is not None:
            transport, _ = await loop.create_datagram_endpoint(lambda: _Listener(self), sock=group)
            self._transports.append(transport)
            self.multicast_works = True

    def _socket(self, *, shared: bool) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, shared)
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self._host))
        made.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        return made

    def _group_socket(self) -> socket.socket | None:
        """Bound to the group address, so that it hears the group only; None where the machine has no multicast."""
        made = self._socket(shared=True)
        try:
            with suppress(OSError):
                made.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            made.bind((GROUP, self.port))
            membership = socket.inet_aton(GROUP) + socket.inet_aton(self._host)
            made.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        except OSError:
            made.close()
            return None
        return made

    async def stop(self) -> None:
        """Say Bye for all cameras that are online and close."""
        for camera in [camera for camera, _ in self._cameras.values()]:
            self.remove(camera)
        for handle in self._pending:
            handle.cancel()
        self._pending.clear()
        for transport in self._transports:
            transport.close()
        self._transports, self._voice, self.multicast_works = [], None, False
        await asyncio.sleep(0)  # lets the transports close their sockets

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def add(self, camera: SimulatedCamera) -> None:
        """Answer for a started camera from now on, and say Hello. Adding it again announces it again."""
        target = Target(camera.identity.endpoint, camera.device_url, camera.scopes)
        self._cameras[target.endpoint] = (camera, target)
        self._announce(self._writer.hello(target))

    def remove(self, camera: SimulatedCamera) -> None:
        """Say Bye (if the camera is online) and answer for it no more."""
        found = self._cameras.pop(camera.identity.endpoint, None)
        if found and camera.online:
            self._announce(self._writer.bye(found[1]))

    def _announce(self, message: bytes) -> None:
        if self._voice and self.multicast_works:
            self._voice.sendto(message, (GROUP, self.port))

    def hear(self, datagram: bytes, sender: tuple[str | int, int]) -> None:
        """Take one datagram; cameras that are offline stay silent."""
        if len(datagram) > MAX_DATAGRAM_BYTES or len(self._pending) > MAX_PENDING_ANSWERS:
            return
        question = read_question(datagram)
        if question is None or self._is_repeat(question, sender):
            return
        for camera, target in self._cameras.values():
            if camera.online and question.matches(target):
                self._answer_later(self._writer.answer(question, target), sender)

    def _is_repeat(self, question: Question, sender: tuple[str | int, int]) -> bool:
        now, key = time.monotonic(), (sender, question.message_id)
        while self._seen and (
            len(self._seen) > REMEMBERED_QUESTIONS or now - next(iter(self._seen.values())) > REPEAT_SECONDS
        ):
            self._seen.popitem(last=False)
        if key in self._seen:
            return True
        self._seen[key] = now
        return False

    def _answer_later(self, message: bytes, sender: tuple[str | int, int]) -> None:
        def send() -> None:
            self._pending.discard(handle)
            if self._voice:
                self._voice.sendto(message, sender)

        handle = asyncio.get_running_loop().call_later(random.uniform(0, SPREAD_SECONDS), send)
        self._pending.add(handle)
