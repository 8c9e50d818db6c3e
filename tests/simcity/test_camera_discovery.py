"""WS-Discovery on loopback: multicast and unicast, many cameras behind one voice, silence where silence is right."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid
from collections.abc import AsyncIterator

import pytest
from lxml import etree

from matpho_simcity.camera import CameraIdentity, DiscoveryResponder, SimulatedCamera
from matpho_simcity.camera.discovery import GROUP, Question, Target, read_question
from matpho_simcity.camera.errors import PortTakenError
from matpho_simcity.camera.pattern import PatternSource

NAMES = {
    "e": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "d": "http://schemas.xmlsoap.org/ws/2005/04/discovery",
}
HANOI = "onvif://www.onvif.org/location/city/hanoi"


def probe(
    types: str = "dn:NetworkVideoTransmitter", scopes: str = "", match_by: str = "", kind: str = "Probe"
) -> bytes:
    inside = f"<d:Types>{types}</d:Types>" if types else ""
    inside += f"<d:Scopes{match_by}>{scopes}</d:Scopes>" if scopes else ""
    if kind == "Resolve":
        inside = f"<a:EndpointReference><a:Address>{types}</a:Address></a:EndpointReference>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="{NAMES["e"]}" xmlns:a="{NAMES["a"]}" xmlns:d="{NAMES["d"]}"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl">
<e:Header><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>
<a:Action>{NAMES["d"]}/{kind}</a:Action></e:Header><e:Body><d:{kind}>{inside}</d:{kind}></e:Body></e:Envelope>""".encode()


async def ask(
    message: bytes, address: tuple[str, int], seconds: float = 0.35, enough: int = 99
) -> list[etree._Element]:
    """All answers within the time, or the first `enough`."""
    loop = asyncio.get_running_loop()
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        sock.setblocking(False)
        sock.sendto(message, address)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(answers) < enough:
                    data, _ = await loop.sock_recvfrom(sock, 65536)
                    answers.append(etree.fromstring(data))
    return answers


def addresses(answers: list[etree._Element]) -> list[str]:
    return sorted(one.findtext(".//d:XAddrs", namespaces=NAMES) for one in answers)


@pytest.fixture
async def cameras() -> AsyncIterator[list[SimulatedCamera]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                SimulatedCamera(
                    PatternSource((160, 90)),
                    CameraIdentity(f"D{number}", f"Máy {number}", location=(place,)),
                    username="admin",
                    password="x",
                )
            )
            for number, place in enumerate(("city/hanoi", "city/hanoi/ward/ba-dinh", "city/hue"))
        ]


@pytest.fixture
async def responder(cameras: list[SimulatedCamera]) -> AsyncIterator[DiscoveryResponder]:
    async with DiscoveryResponder(port=0) as responder:
        for camera in cameras:
            responder.add(camera)
        yield responder


class TestUnicast:
    @pytest.mark.parametrize(
        "types", ["dn:NetworkVideoTransmitter", "tds:Device", "", "dn:NetworkVideoTransmitter tds:Device"]
    )
    async def test_every_camera_answers_for_itself(
        self, responder: DiscoveryResponder, cameras: list[SimulatedCamera], types: str
    ) -> None:
        question = probe(types)
        answers = await ask(question, ("127.0.0.1", responder.port))
        assert addresses(answers) == sorted(camera.device_url for camera in cameras)
        endpoints = {one.findtext(".//a:EndpointReference/a:Address", namespaces=NAMES) for one in answers}
        assert endpoints == {camera.identity.endpoint for camera in cameras}
        asked = etree.fromstring(question).findtext(".//a:MessageID", namespaces=NAMES)
        assert {one.findtext(".//a:RelatesTo", namespaces=NAMES) for one in answers} == {asked}

    @pytest.mark.parametrize(
        "question",
        [
            probe("dn:Printer"),
            probe("NetworkVideoTransmitter"),
            probe("unknown:Device"),
            probe(scopes="onvif://www.onvif.org/location/city/saigon"),
            probe(scopes=HANOI, match_by=' MatchBy="http://example.org/by-magic"'),
            b"",
            b"\xff\xfe not xml",
            probe().replace(b"<e:Envelope", b"<!DOCTYPE x [<!ENTITY y 'z'>]><e:Envelope"),
            probe().replace(b"<a:MessageID>", b"<a:Other>").replace(b"</a:MessageID>", b"</a:Other>"),
            probe().replace(b"<d:Probe>", b"<d:Probe>" + b"<x>" * 50 + b"</x>" * 50),
            probe(scopes="x" * 20_000),
        ],
    )
    async def test_silence(self, responder: DiscoveryResponder, question: bytes) -> None:
        assert await ask(question, ("127.0.0.1", responder.port), 0.2) == []
        assert len(await ask(probe(), ("127.0.0.1", responder.port), 5, enough=3)) == 3

    async def test_scopes(self, responder: DiscoveryResponder, cameras: list[SimulatedCamera]) -> None:
        both = await ask(probe(scopes=HANOI), ("127.0.0.1", responder.port))
        assert addresses(both) == sorted(camera.device_url for camera in cameras[:2])
        exact = probe(scopes=HANOI, match_by=f' MatchBy="{NAMES["d"]}/strcmp0"')
        assert addresses(await ask(exact, ("127.0.0.1", responder.port))) == [cameras[0].device_url]

    async def test_resolve(self, responder: DiscoveryResponder, cameras: list[SimulatedCamera]) -> None:
        answers = await ask(probe(cameras[1].identity.endpoint, kind="Resolve"), ("127.0.0.1", responder.port))
        assert [one.findtext(".//d:ResolveMatch/d:XAddrs", namespaces=NAMES) for one in answers] == [
            cameras[1].device_url
        ]

    async def test_repeated_probe_is_answered_once(self, responder: DiscoveryResponder) -> None:
        message = probe()
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            for _ in range(3):
                sock.sendto(message, ("127.0.0.1", responder.port))
            count = 0
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.35):
                    while True:
                        await loop.sock_recvfrom(sock, 65536)
                        count += 1
        assert count == 3

    async def test_offline_cameras_are_silent(
        self, responder: DiscoveryResponder, cameras: list[SimulatedCamera]
    ) -> None:
        await cameras[0].go_offline()
        assert len(await ask(probe(), ("127.0.0.1", responder.port))) == 2
        await cameras[0].come_back()
        responder.remove(cameras[2])
        assert len(await ask(probe(), ("127.0.0.1", responder.port))) == 2

    async def test_taken_port_is_said(self, responder: DiscoveryResponder) -> None:
        with pytest.raises(PortTakenError, match=str(responder.port)):
            await DiscoveryResponder(port=responder.port).start()


class TestMulticast:
    async def test_probe_hello_and_bye(self, cameras: list[SimulatedCamera]) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with DiscoveryResponder(port=port) as responder:
            if not responder.multicast_works:
                pytest.skip("this machine has no multicast on its loopback interface")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
                ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                ear.bind((GROUP, port))
                membership = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
                ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
                ear.setblocking(False)
                responder.add(cameras[0])
                async with asyncio.timeout(3):
                    hello = etree.fromstring((await loop.sock_recvfrom(ear, 65536))[0])
                    answers = await ask(probe(), (GROUP, port))
                    assert read_question((await loop.sock_recvfrom(ear, 65536))[0]) is not None
                    responder.remove(cameras[0])
                    bye = etree.fromstring((await loop.sock_recvfrom(ear, 65536))[0])
            assert hello.findtext(".//d:Hello/d:XAddrs", namespaces=NAMES) == cameras[0].device_url
            assert addresses(answers) == [cameras[0].device_url]
            assert bye.find(".//d:Bye", namespaces=NAMES) is not None


class TestScopeMatching:
    @pytest.mark.parametrize(
        ("wanted", "matches"),
        [
            ("onvif://www.onvif.org/location/city", True),
            ("ONVIF://WWW.onvif.org/location/city/hanoi/", True),
            ("onvif://www.onvif.org/location/city/h%61noi", True),
            ("onvif://www.onvif.org/location/city/han", False),
            ("onvif://www.onvif.org/location/city/hanoi/ward", False),
            ("onvif://www.onvif.org/./location", False),
            ("http://www.onvif.org/location/city", False),
        ],
    )
    def test_by_segments(self, wanted: str, matches: bool) -> None:
        target = Target("urn:uuid:1", "http://x", (HANOI,))
        assert Question("m", scopes=(wanted,)).matches(target) is matches


class TestIdentity:
    def test_endpoint_is_stable_and_distinct(self) -> None:
        one, same, other = (CameraIdentity(serial, "n").endpoint for serial in ("1", "1", "2"))
        assert one == same != other
