"""ONVIF against simulated cameras and against devices that lie, stall and answer in old ways."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from matpho_contracts.errors import BadInputError, NotFoundError
from matpho_edge.credentials import Credentials
from matpho_edge.onvif import OnvifCamera, xml
from matpho_edge.onvif.pinning import PinnedHost, pin
from matpho_edge.onvif.ptz import Range, Space
from matpho_edge.streams import (
    CameraAbilityError,
    CameraAuthError,
    CameraProtocolError,
    CameraUnreachableError,
)
from matpho_simcity.camera import CameraIdentity, SimulatedCamera
from matpho_simcity.camera.pattern import PatternSource

PASSWORD = "c4n@ry/pass"


@asynccontextmanager
async def simulated(*, has_ptz: bool = True, clock_offset: timedelta = timedelta()) -> AsyncIterator[SimulatedCamera]:
    source = PatternSource((320, 180), frames_per_second=10.0, has_ptz=has_ptz)
    identity = CameraIdentity("A1", "Cổng trường")
    camera = SimulatedCamera(source, identity, username="admin", password=PASSWORD, clock_offset=clock_offset)
    async with camera:
        yield camera


@asynccontextmanager
async def connected(*, has_ptz: bool = True) -> AsyncIterator[tuple[OnvifCamera, SimulatedCamera]]:
    async with simulated(has_ptz=has_ptz) as device:
        camera = await OnvifCamera.connect("127.0.0.1", device.ports.http, Credentials("admin", PASSWORD))
        async with camera:
            yield camera, device


class TestSimulatedCamera:
    async def test_describes_itself(self) -> None:
        async with connected() as (camera, _):
            told = await camera.describe()
        assert (told.manufacturer, told.model, told.serial) == ("Matpho Simcity", "SC-360", "A1")
        assert [profile.size for profile in told.profiles] == [(320, 180), (320, 180)]
        assert told.profiles[0].encoding == "H264"
        assert told.profiles[0].fps == 10
        assert told.has_ptz
        assert told.missing == ()
        assert {"device", "media", "media2", "ptz", "imaging", "events"} <= set(told.services)
        assert told.clock_offset is not None
        assert abs(told.clock_offset) < timedelta(seconds=3)

    async def test_stream_and_still(self) -> None:
        async with connected() as (camera, device):
            assert await camera.stream_uri() == device.stream_url("main")
            still = await camera.snapshot()
        assert still[:2] == b"\xff\xd8"
        assert still[-2:] == b"\xff\xd9"

    async def test_a_wrong_clock_does_not_lock_us_out(self) -> None:
        async with (
            simulated(clock_offset=timedelta(days=-400)) as device,
            await OnvifCamera.connect("127.0.0.1", device.ports.http, Credentials("admin", PASSWORD)) as camera,
        ):
            assert camera.clock_offset is not None
            assert abs(camera.clock_offset + timedelta(days=400)) < timedelta(seconds=5)

    async def test_turns_by_degrees(self) -> None:
        async with connected() as (camera, _):
            await camera.move(pan=20.0, tilt=-9.0)
            await standing(camera)
            told = await camera.status()
            assert told.pan == pytest.approx(20.0, abs=0.5)
            assert told.tilt == pytest.approx(-9.0, abs=0.5)
            await camera.move_to(pan=-10.0, zoom=0.25)
            await standing(camera)
            told = await camera.status()
            assert told.pan == pytest.approx(-10.0, abs=0.5)
            assert told.tilt == pytest.approx(-9.0, abs=0.5)
            assert told.zoom == pytest.approx(0.25, abs=0.01)

    async def test_stop_is_not_lost(self) -> None:
        async with connected() as (camera, _):
            await camera.move(pan=170.0)
            await camera.stop()
            first = await camera.status()
            await asyncio.sleep(0.2)
            second = await camera.status()
        assert first.moving is False
        assert first.pan == second.pan
        assert first.pan is not None
        assert first.pan < 160

    async def test_stop_cancels_moves_that_wait(self) -> None:
        async with connected() as (camera, _):
            await camera.status()  # The node is known, so that moves queue at once.
            moves = [asyncio.create_task(camera.move(pan=10.0)) for _ in range(5)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await camera.stop()
            results = await asyncio.gather(*moves, return_exceptions=True)
        assert sum(isinstance(one, CameraProtocolError) for one in results) >= 3

    async def test_presets_by_name_without_marks(self) -> None:
        async with connected() as (camera, _):
            await camera.move_to(pan=30.0, tilt=0.0)
            await standing(camera)
            await camera.set_preset("Cổng chính")
            await camera.home()
            await standing(camera)
            await camera.goto_preset("cong chinh")
            await standing(camera)
            assert (await camera.status()).pan == pytest.approx(30.0, abs=0.5)
            assert [one.name for one in await camera.presets()] == ["Cổng chính"]
            with pytest.raises(NotFoundError):
                await camera.goto_preset("không có")

    async def test_a_fixed_camera_says_so(self) -> None:
        async with connected(has_ptz=False) as (camera, _):
            assert not (await camera.describe()).has_ptz
            for turning in (camera.move(pan=5.0), camera.home(), camera.stop(), camera.goto_preset("x")):
                with pytest.raises(CameraAbilityError, match="cố định"):
                    await turning

    async def test_imaging(self) -> None:
        async with connected() as (camera, _):
            await camera.set_imaging(brightness=70.0)
            assert (await camera.imaging()).brightness == 70.0
            with pytest.raises(CameraAbilityError):
                await camera.set_imaging(loudness=1.0)

    async def test_events(self) -> None:
        async with connected() as (camera, device), aclosing(camera.events()) as events:  # type: ignore[type-var]
            wanted = "tns1:Device/Trigger/DigitalInput"
            async for event in events:
                if event.topic == wanted and event.operation == "Initialized":
                    assert event.data["LogicalState"] == "false"
                    device.set_digital_input(True)
                elif event.topic == wanted:
                    break
        assert event.data["LogicalState"] == "true"
        assert event.source
        assert event.at is not None
        assert abs(event.at - datetime.now(UTC)) < timedelta(seconds=10)

    async def test_subscriptions_are_given_back(self) -> None:
        async with connected() as (camera, _):
            topics = []
            for _ in range(12):  # The camera has room for ten.
                async with aclosing(camera.events()) as events:  # type: ignore[type-var]
                    topics.append((await asyncio.wait_for(anext(events), 10)).topic)
        assert len(topics) == 12
        assert all(topics)

    async def test_events_survive_a_reboot(self) -> None:
        async with connected() as (camera, device), aclosing(camera.events()) as events:  # type: ignore[type-var]
            await asyncio.wait_for(anext(events), 10)
            await device.go_offline()
            await device.come_back()

            async def until_initialized_again() -> bool:
                async for event in events:
                    if event.operation == "Initialized" and "Motion" in event.topic:
                        return True
                return False

            assert await asyncio.wait_for(until_initialized_again(), 20)

    async def test_a_wrong_password(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        async with simulated() as device:
            with pytest.raises(CameraAuthError) as caught:
                await OnvifCamera.connect("127.0.0.1", device.ports.http, Credentials("admin", "canary-9"))
        assert "canary" not in str(caught.value)
        assert "canary" not in caplog.text
        assert caught.value.__cause__ is None

    async def test_nobody_there(self) -> None:
        with pytest.raises(CameraUnreachableError):
            await OnvifCamera.connect("127.0.0.1", 9, Credentials("admin", "x"))


async def standing(camera: OnvifCamera) -> None:
    for _ in range(500):
        if not (await camera.status()).moving:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the lens never stood still")


# --- devices with bad habits -----------------------------------------------------------------------------------------

ENVELOPE = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>{body}</s:Body></s:Envelope>'
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
TT = "http://www.onvif.org/ver10/schema"
INFORMATION = (
    f'<d:GetDeviceInformationResponse xmlns:d="{DEVICE}"><d:Manufacturer>M</d:Manufacturer><d:Model>X</d:Model>'
    "<d:FirmwareVersion>1</d:FirmwareVersion><d:SerialNumber>7</d:SerialNumber><d:HardwareId>h</d:HardwareId>"
    "</d:GetDeviceInformationResponse>"
)
FAULT = (
    '<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value xmlns:ter="http://www.onvif.org/ver10/error">'
    'ter:{code}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">no</s:Text></s:Reason></s:Fault>'
)

Answer = str | bytes | web.Response | Callable[[web.Request, str], Awaitable[web.Response]]


def services(*pairs: tuple[str, str]) -> str:
    listed = "".join(
        f"<d:Service><d:Namespace>{name}</d:Namespace><d:XAddr>{url}</d:XAddr>"
        "<d:Version><t:Major>2</t:Major><t:Minor>6</t:Minor></d:Version></d:Service>"
        for name, url in pairs
    )
    return f'<d:GetServicesResponse xmlns:d="{DEVICE}" xmlns:t="{TT}">{listed}</d:GetServicesResponse>'


def uri_answer(operation: str, uri: str) -> str:
    return (
        f'<m:{operation}Response xmlns:m="{MEDIA}" xmlns:t="{TT}"><m:MediaUri><t:Uri>{uri}</t:Uri>'
        "<t:InvalidAfterConnect>false</t:InvalidAfterConnect><t:InvalidAfterReboot>false</t:InvalidAfterReboot>"
        f"<t:Timeout>PT0S</t:Timeout></m:MediaUri></m:{operation}Response>"
    )


@asynccontextmanager
async def device(answers: dict[str, Answer]) -> AsyncIterator[tuple[int, list[str]]]:
    """A device that answers each operation as told (a fault for others) and remembers the paths it was asked at."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        text = (await request.read()).decode(errors="replace")
        found = re.search(r"<(?:[\w-]+:)?Body[^>]*>\s*<(?:[\w-]+:)?(\w+)", text)
        operation = found[1] if found else f"GET {request.path}"
        asked.append(f"{operation} {request.path}")
        answer = answers.get(operation, FAULT.format(code="ActionNotSupported"))
        if callable(answer):
            return await answer(request, text)
        if isinstance(answer, web.Response):
            return answer
        if isinstance(answer, str):
            answer = ENVELOPE.format(body=answer).encode()
        return web.Response(body=answer, content_type="application/soap+xml")

    app = web.Application(client_max_size=2**20)
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1], asked
    finally:
        await runner.cleanup()


async def connect(port: int) -> OnvifCamera:
    return await OnvifCamera.connect("127.0.0.1", port, Credentials("admin", PASSWORD))


class TestLyingDevices:
    async def test_urls_to_other_hosts_are_bound_to_the_device(self) -> None:
        answers: dict[str, Answer] = {
            "GetDeviceInformation": INFORMATION,
            "GetServices": services((MEDIA, "http://10.255.0.1:1/evil/media")),
            "GetStreamUri": uri_answer("GetStreamUri", "rtsp://u:p@169.254.169.254:8554/live?x=1"),
        }
        async with device(answers) as (port, asked):
            answers["GetServices"] = services((MEDIA, f"http://10.255.0.1:{port}/media"))
            async with await connect(port) as camera:
                assert await camera.stream_uri("p") == "rtsp://127.0.0.1:8554/live?x=1"
        assert "GetStreamUri /media" in asked

    @pytest.mark.parametrize(
        "uri",
        ["file:///etc/passwd", "http://127.0.0.1/x", "exec:ls", "", "rtsp://", "-i x", "rtsp://h/a b", "rtsp://h:0x1/"],
    )
    async def test_streams_of_another_kind_are_refused(self, uri: str) -> None:
        answers: dict[str, Answer] = {
            "GetDeviceInformation": INFORMATION,
            "GetStreamUri": uri_answer("GetStreamUri", uri),
        }
        async with device(answers) as (port, _):
            answers["GetServices"] = services((MEDIA, f"http://127.0.0.1:{port}/media"))
            async with await connect(port) as camera:
                if uri == "rtsp://":
                    assert (await camera.stream_uri("p")).startswith("rtsp://127.0.0.1:")
                    return
                with pytest.raises(CameraProtocolError):
                    await camera.stream_uri("p")

    async def test_redirects_are_not_followed(self) -> None:
        other: list[str] = []

        async def catch(request: web.Request, _: str) -> web.Response:
            other.append(request.path)
            return web.Response(text="caught")

        async with device({"GET /x": catch, "GetDeviceInformation": catch}) as (far, _):
            moved = web.Response(status=307, headers={"Location": f"http://127.0.0.1:{far}/x"})
            async with device({"GetDeviceInformation": moved}) as (port, _):
                with pytest.raises(CameraProtocolError):
                    await connect(port)
        assert other == []

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"<html>hello</html>",
            b"<",
            b"x" * (xml.MAX_XML_BYTES + 1),
            b"<a>" * 70 + b"</a>" * 70,
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
            b'<!DOCTYPE a [<!ENTITY b "cc"><!ENTITY d "&b;&b;">]><a>&d;</a>',
        ],
        ids=["empty", "html", "no-xml", "huge", "deep", "xxe", "bomb"],
    )
    async def test_hostile_answers(self, content: bytes) -> None:
        async with device({"GetDeviceInformation": content}) as (port, _):
            with pytest.raises((CameraProtocolError, CameraUnreachableError)):
                await connect(port)

    async def test_a_broken_envelope_is_mended(self) -> None:
        mended = ENVELOPE.format(body=INFORMATION.replace("<d:Model>X</d:Model>", "<d:Model>X & Y</d:Model>"))
        async with device({"GetDeviceInformation": mended.encode()}) as (port, _), await connect(port) as camera:
            assert (await camera.describe()).model.startswith("X")

    async def test_no_services_no_clock_is_no_reason_to_lose_the_camera(self) -> None:
        async with device({"GetDeviceInformation": INFORMATION}) as (port, _), await connect(port) as camera:
            told = await camera.describe()
        assert (told.manufacturer, told.clock_offset, told.profiles) == ("M", None, ())
        assert told.missing == ("profiles",)

    async def test_not_authorized_in_a_fault_with_http_200(self) -> None:
        async with device({"GetDeviceInformation": FAULT.format(code="NotAuthorized")}) as (port, asked):
            with pytest.raises(CameraAuthError):
                await connect(port)
        assert sum(one.startswith("GetDeviceInformation") for one in asked) <= 3  # No hammering.

    @pytest.mark.parametrize(
        ("body", "told"),
        [(b"", "no JPEG"), (b"<html>", "no JPEG"), (b"\xff\xd8" + b"\xff" * (9 << 20), "larger")],
        ids=["empty", "html", "huge"],
    )
    async def test_a_still_that_is_none(self, body: bytes, told: str) -> None:
        answers: dict[str, Answer] = {"GetDeviceInformation": INFORMATION, "GET /s.jpg": web.Response(body=body)}
        async with device(answers) as (port, asked):
            answers["GetServices"] = services((MEDIA, f"http://127.0.0.1:{port}/media"))
            answers["GetSnapshotUri"] = uri_answer("GetSnapshotUri", f"http://10.0.0.1:{port}/s.jpg")
            async with await connect(port) as camera:
                with pytest.raises(CameraProtocolError, match=told):
                    await camera.snapshot("p")
        assert asked[-1] == "GET /s.jpg /s.jpg"

    async def test_a_device_that_never_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def stall(request: web.Request, _: str) -> web.Response:
            await asyncio.sleep(30)
            return web.Response()

        monkeypatch.setattr("matpho_edge.onvif.camera.CONNECT_SECONDS", 0.5)
        async with device({"GetSystemDateAndTime": stall}) as (port, _):
            with pytest.raises(CameraProtocolError):
                await connect(port)


class TestOldDevices:
    async def test_token_in_the_envelope_when_digest_is_unknown(self) -> None:
        """A camera that knows only WS-UsernameToken answers NotAuthorized to anything else, with HTTP 400."""
        created: list[str] = []

        async def strict(request: web.Request, text: str) -> web.Response:
            found = {
                name: re.search(rf"<(?:[\w-]+:)?{name}[^>]*>([^<]*)<", text)
                for name in ("Nonce", "Created", "Password")
            }
            if all(found.values()):
                nonce, made, digest = (match[1] for match in found.values() if match)
                wanted = hashlib.sha1(
                    base64.b64decode(nonce) + made.encode() + PASSWORD.encode(), usedforsecurity=False
                )
                if base64.b64encode(wanted.digest()).decode() == digest and made.endswith("Z"):
                    created.append(nonce)
                    return web.Response(text=ENVELOPE.format(body=INFORMATION), content_type="application/soap+xml")
            body = ENVELOPE.format(body=FAULT.format(code="NotAuthorized"))
            return web.Response(status=400, text=body, content_type="application/soap+xml")

        async with device({"GetDeviceInformation": strict}) as (port, _), await connect(port) as camera:
            assert (await camera.describe()).model == "X"
            await camera._services.call("device", "GetDeviceInformation")
        assert len(set(created)) == 2  # A fresh nonce each time.


class TestPinning:
    def test_no_downgrade(self) -> None:
        host = PinnedHost("cam.local", "10.0.0.5", 8443, secure=True)
        assert host.web("http://1.2.3.4/onvif/ptz") == "https://cam.local:8443/onvif/ptz"
        assert host.device_service == "https://cam.local:8443/onvif/device_service"

    def test_ipv6(self) -> None:
        host = PinnedHost("::1", "::1", 80)
        assert host.web("http://10.0.0.1:81/x") == "http://[::1]:81/x"
        assert host.stream("rtsp://[fe80::1]:554/x") == "rtsp://[::1]:554/x"

    @pytest.mark.parametrize(
        ("host", "port"), [("", 80), ("-x", 80), ("a b", 80), ("h/x", 80), ("h", 0), ("h", 70000), ("h@x", 80)]
    )
    async def test_hosts_are_judged(self, host: str, port: int) -> None:
        with pytest.raises(BadInputError):
            await pin(host, port)

    async def test_unknown_host(self) -> None:
        with pytest.raises(CameraUnreachableError):
            await pin("no.such.host.invalid", 80)


class TestDegrees:
    GENERIC = Space("g", Range(-1, 1), Range(-1, 1))

    def test_generic_ranges(self) -> None:
        assert self.GENERIC.units(90, tilt=False, relative=False) == 0.5
        assert self.GENERIC.units(45, tilt=True, relative=False) == 0.5
        assert self.GENERIC.units(36, tilt=False, relative=True) == pytest.approx(0.2)
        assert self.GENERIC.units(5000, tilt=False, relative=False) == 1
        assert self.GENERIC.to_degrees(-0.5, tilt=False) == -90

    def test_a_node_that_speaks_degrees(self) -> None:
        space = Space("d", Range(-170, 170), Range(-30, 90), degrees=True)
        assert space.units(45, tilt=True, relative=False) == 45
        assert space.units(-45, tilt=True, relative=False) == -30
        assert space.to_degrees(12.5, tilt=False) == 12.5
