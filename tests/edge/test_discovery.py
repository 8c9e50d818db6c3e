"""WS-Discovery against the simulated city's responder and against liars, on real sockets of the loopback."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from matpho_contracts.errors import BadInputError
from matpho_edge.discovery import announcements, discover, local_interfaces
from matpho_edge.discovery_messages import bound_to, probes, read_announcement, read_matches
from matpho_simcity.camera import CameraIdentity, DiscoveryResponder, SimulatedCamera
from matpho_simcity.camera.pattern import PatternSource

ANSWER = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl">
<s:Header><a:RelatesTo>{relates}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>
<a:EndpointReference><a:Address>{epr}</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>
<d:Scopes>{scopes}</d:Scopes><d:XAddrs>{xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion>
</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"""


def answer(relates: str, *, epr: str = "urn:uuid:1", xaddrs: str = "http://127.0.0.1/x", scopes: str = "") -> bytes:
    return ANSWER.format(relates=relates, epr=epr, xaddrs=xaddrs, scopes=scopes).encode()


def camera(serial: str, name: str = "Cổng trường") -> SimulatedCamera:
    identity = CameraIdentity(serial, name, location=("country/vn", "city/ha noi"))
    return SimulatedCamera(PatternSource(), identity, username="admin", password="pw")


class TestSimulatedCameras:
    async def test_finds_all_by_unicast_once_each(self) -> None:
        async with camera("A1") as one, camera("A2") as two, DiscoveryResponder(port=0) as responder:
            responder.add(one)
            responder.add(two)
            found = await discover(targets=[f"127.0.0.1:{responder.port}"], multicast=False, seconds=0.6)
        assert {device.epr for device in found} == {one.identity.endpoint, two.identity.endpoint}
        assert {device.xaddrs for device in found} == {(one.device_url,), (two.device_url,)}
        first = found[0]
        assert (first.name, first.hardware, first.location) == ("Cổng trường", "SC-360", "country/vn, city/ha noi")
        assert "NetworkVideoTransmitter" in first.types
        assert first.host == "127.0.0.1"
        assert first.port in {one.ports.http, two.ports.http}

    async def test_finds_by_multicast_on_loopback(self, unused_udp_port: int) -> None:
        async with camera("A1") as one, DiscoveryResponder(port=unused_udp_port) as responder:
            if not responder.multicast_works:
                pytest.skip("this machine has no multicast on loopback")
            responder.add(one)
            found = await discover(interfaces=["127.0.0.1"], port=unused_udp_port, seconds=0.6)
        assert [device.epr for device in found] == [one.identity.endpoint]

    async def test_hears_hello_and_bye(self, unused_udp_port: int) -> None:
        heard = []

        async def listen() -> None:
            async for announcement in announcements(interfaces=["127.0.0.1"], port=unused_udp_port):
                heard.append((announcement.kind, announcement.device.epr))
                if len(heard) == 2:
                    return

        async with camera("A1") as one, DiscoveryResponder(port=unused_udp_port) as responder:
            if not responder.multicast_works:
                pytest.skip("this machine has no multicast on loopback")
            listening = asyncio.create_task(listen())
            await asyncio.sleep(0.1)
            responder.add(one)
            await asyncio.sleep(0.1)
            responder.remove(one)
            await asyncio.wait_for(listening, 5)
        assert heard == [("hello", one.identity.endpoint), ("bye", one.identity.endpoint)]

    async def test_nobody_there(self) -> None:
        assert await discover(targets=["127.0.0.1:9"], multicast=False, seconds=0.4) == []


@pytest.fixture
def unused_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Liar(asyncio.DatagramProtocol):
    def __init__(self, reply: Callable[[str], list[bytes]]) -> None:
        self._reply = reply

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # as asyncio calls it
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        match = re.search(rb"<a:MessageID>([^<]+)<", data)
        assert match is not None
        for datagram in self._reply(match[1].decode()):
            self._transport.sendto(datagram, addr)


@asynccontextmanager
async def liar(reply: Callable[[str], list[bytes]]) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Liar(reply), local_addr=("127.0.0.1", 0))
    try:
        yield f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()


async def ask(reply: Callable[[str], list[bytes]]) -> list[str]:
    async with liar(reply) as target:
        return [
            url for device in await discover(targets=[target], multicast=False, seconds=0.25) for url in device.xaddrs
        ]


class TestLiars:
    async def test_a_foreign_address_is_bound_to_the_one_who_answered(self) -> None:
        assert await ask(lambda q: [answer(q, xaddrs="http://10.9.8.7:8080/onvif")]) == ["http://127.0.0.1:8080/onvif"]

    async def test_the_own_address_wins_over_foreign_ones(self) -> None:
        told = "http://10.0.0.1/a http://127.0.0.1:81/b http://[fe80::1]/c"
        assert await ask(lambda q: [answer(q, xaddrs=told)]) == ["http://127.0.0.1:81/b"]

    async def test_an_answer_to_no_question_of_ours_is_nothing(self) -> None:
        assert await ask(lambda q: [answer("urn:uuid:somebody-else")]) == []

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\xff\xfe\x00",
            b"<a>",
            b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
            b"<a>" * 5000,
            b"x" * 60_000,
        ],
    )
    async def test_hostile_datagrams(self, content: bytes) -> None:
        assert await ask(lambda q: [content, answer(q)]) == ["http://127.0.0.1/x"]

    async def test_a_dtd_is_refused_even_in_a_good_answer(self) -> None:
        evil = '<!DOCTYPE s:Envelope [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        assert await ask(lambda q: [answer(q).replace(b"?>", f"?>{evil}".encode(), 1)]) == []

    async def test_one_device_answering_for_thousands_is_bounded(self) -> None:
        urls = " ".join(f"http://127.0.0.1:{port}/x" for port in range(1, 1000))
        assert len(await ask(lambda q: [answer(q, xaddrs=urls)])) == 8

    async def test_repeated_answers_are_one_device(self) -> None:
        assert await ask(lambda q: [answer(q)] * 20) == ["http://127.0.0.1/x"]


class TestMessages:
    def test_three_questions(self) -> None:
        kinds = [b"NetworkVideoTransmitter" in one.content or b":Device" in one.content for one in probes()]
        assert kinds == [True, True, False]
        assert len({one.message_id for one in probes()}) == 3

    def test_bad_addresses_are_left_out(self) -> None:
        offered = [
            "ftp://10.0.0.5/x",
            "http://",
            "http://h:99999/x",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://a:b@10.0.0.5:81/y",
        ]
        assert bound_to("10.0.0.5", offered) == ("http://10.0.0.5:81/y",)

    def test_names_are_strangers_words(self) -> None:
        scopes = "onvif://www.onvif.org/name/%1b%5b31mA%0d%0ab onvif://www.onvif.org/hardware/" + "x" * 250
        [device] = read_matches(answer("q", scopes=scopes), "127.0.0.1", {"q"})
        assert device.name == "[31mA b"
        assert len(device.hardware) <= 100

    def test_a_device_without_an_endpoint_is_left_out(self) -> None:
        assert read_matches(answer("q", epr=""), "127.0.0.1", {"q"}) == []
        assert read_matches(answer("q", xaddrs=""), "127.0.0.1", {"q"}) == []

    def test_a_probe_is_no_announcement(self) -> None:
        assert read_announcement(probes()[0].content, "127.0.0.1") is None

    @pytest.mark.parametrize("target", ["", ":80", "host:0", "host:99999", "host:x", "no.such.host.invalid"])
    async def test_targets_are_judged(self, target: str) -> None:
        with pytest.raises(BadInputError):
            await discover(targets=[target], multicast=False, seconds=0.1)

    def test_interfaces(self) -> None:
        assert "127.0.0.1" in local_interfaces()
        assert "127.0.0.1" not in local_interfaces(loopback=False)
