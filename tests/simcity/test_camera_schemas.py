"""Every answer of every operation is valid by the ONVIF schemas that ship with an independent client."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import aiohttp
import onvif
import pytest
from lxml import etree

from matpho_simcity.camera import CameraIdentity, SimulatedCamera
from matpho_simcity.camera.onvif.xml import NAMESPACES
from matpho_simcity.camera.pattern import PatternSource

FOLDER = Path(onvif.__file__).parent / "wsdl"
XS = "{http://www.w3.org/2001/XMLSchema}"
FILES = {"tds": "devicemgmt", "trt": "media", "tptz": "ptz", "timg": "imaging", "tev": "events"}
PROFILE = "<{0}:ProfileToken>profile_main</{0}:ProfileToken>"
SOURCE = "<timg:VideoSourceToken>video_source_1</timg:VideoSourceToken>"
ARGUMENTS = {
    "tds:GetCapabilities": "<tds:Category>All</tds:Category>",
    "tds:GetServices": "<tds:IncludeCapability>true</tds:IncludeCapability>",
    "trt:GetProfile": PROFILE.format("trt"),
    "trt:GetStreamUri": "<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport>"
    "<tt:Protocol>UDP</tt:Protocol></tt:Transport></trt:StreamSetup>" + PROFILE.format("trt"),
    "trt:GetSnapshotUri": PROFILE.format("trt"),
    "trt:SetSynchronizationPoint": PROFILE.format("trt"),
    "trt:GetVideoSourceConfiguration": "<trt:ConfigurationToken>video_source_config_1</trt:ConfigurationToken>",
    "trt:GetVideoEncoderConfiguration": "<trt:ConfigurationToken>encoder_sub</trt:ConfigurationToken>",
    "trt:SetVideoEncoderConfiguration": "<trt:Configuration token='encoder_main'><tt:Encoding>H264</tt:Encoding>"
    "<tt:Resolution><tt:Width>160</tt:Width><tt:Height>90</tt:Height></tt:Resolution></trt:Configuration>",
    "tptz:GetNode": "<tptz:NodeToken>ptz_node_1</tptz:NodeToken>",
    "tptz:GetConfiguration": "<tptz:PTZConfigurationToken>ptz_config_1</tptz:PTZConfigurationToken>",
    "tptz:GetConfigurationOptions": "<tptz:ConfigurationToken>ptz_config_1</tptz:ConfigurationToken>",
    "tptz:AbsoluteMove": PROFILE.format("tptz") + "<tptz:Position><tt:PanTilt x='0' y='0'/></tptz:Position>",
    "tptz:RelativeMove": PROFILE.format("tptz") + "<tptz:Translation><tt:PanTilt x='0' y='0'/></tptz:Translation>",
    "tptz:ContinuousMove": PROFILE.format("tptz") + "<tptz:Velocity><tt:Zoom x='0'/></tptz:Velocity>",
    "tev:PullMessages": "<tev:Timeout>PT1S</tev:Timeout><tev:MessageLimit>5</tev:MessageLimit>",
    "wsnt:Renew": "<wsnt:TerminationTime>PT60S</wsnt:TerminationTime>",
}
ORDERED = ["SetPreset", "GetPresets", "GotoPreset", "RemovePreset"]


@cache
def schema(prefix: str) -> etree.XMLSchema:
    """The schema inside a service's WSDL, its imports resolved beside it."""
    wsdl = etree.parse(FOLDER / f"{FILES[prefix]}.wsdl")
    inside = next(wsdl.iter(f"{XS}schema"))
    text = etree.tostring(inside)
    return etree.XMLSchema(etree.fromstring(text, base_url=str(FOLDER / "inside.xsd")))


@pytest.fixture
async def camera() -> AsyncIterator[SimulatedCamera]:
    source = PatternSource((160, 90))
    async with SimulatedCamera(source, CameraIdentity("V1", "Máy"), username="admin", password="right") as camera:
        yield camera


def envelope(body: str) -> bytes:
    nonce, stamp = os.urandom(16), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = base64.b64encode(hashlib.sha1(nonce + stamp.encode() + b"right", usedforsecurity=False).digest()).decode()
    kind = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
    names = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return f"""<env:Envelope {names}><env:Header><wsse:Security><wsse:UsernameToken><wsse:Username>admin</wsse:Username>
<wsse:Password Type="{kind}">{digest}</wsse:Password><wsse:Nonce>{base64.b64encode(nonce).decode()}</wsse:Nonce>
<wsu:Created>{stamp}</wsu:Created></wsse:UsernameToken></wsse:Security></env:Header>
<env:Body>{body}</env:Body></env:Envelope>""".encode()


async def post(session: aiohttp.ClientSession, url: str, body: str) -> etree._Element:
    async with session.post(url, data=envelope(body)) as answer:
        root = etree.fromstring(await answer.read())
        assert answer.status == 200, etree.tostring(root).decode()
    return root.find("{*}Body")[0]


def check(answer: etree._Element, prefix: str) -> None:
    # Alone in its own document, with the prefixes that its texts use.
    schema(prefix).assertValid(etree.fromstring(etree.tostring(answer)))


class TestAnswersAreValid:
    @pytest.mark.parametrize("prefix", ["tds", "trt", "timg"])
    async def test_simple_services(self, camera: SimulatedCamera, prefix: str) -> None:
        service = next(one for one in camera._http._services.values() if one.prefix == prefix)
        base = f"http://127.0.0.1:{camera.ports.http}{service.path}"
        async with aiohttp.ClientSession() as session:
            for name in service.operations:
                inside = ARGUMENTS.get(f"{prefix}:{name}", SOURCE if prefix == "timg" else "")
                check(await post(session, base, f"<{prefix}:{name}>{inside}</{prefix}:{name}>"), prefix)

    async def test_ptz(self, camera: SimulatedCamera) -> None:
        service = next(one for one in camera._http._services.values() if one.prefix == "tptz")
        base = f"http://127.0.0.1:{camera.ports.http}{service.path}"
        names = [name for name in service.operations if name not in ORDERED] + ORDERED
        async with aiohttp.ClientSession() as session:
            for name in names:
                inside = ARGUMENTS.get(f"tptz:{name}", PROFILE.format("tptz"))
                if name in ("GotoPreset", "RemovePreset"):
                    inside += "<tptz:PresetToken>preset_1</tptz:PresetToken>"
                check(await post(session, base, f"<tptz:{name}>{inside}</tptz:{name}>"), "tptz")

    async def test_events(self, camera: SimulatedCamera) -> None:
        base = f"http://127.0.0.1:{camera.ports.http}/onvif/event_service"
        async with aiohttp.ClientSession() as session:
            check(await post(session, base, "<tev:GetServiceCapabilities/>"), "tev")
            check(await post(session, base, "<tev:GetEventProperties/>"), "tev")
            created = await post(session, base, "<tev:CreatePullPointSubscription/>")
            check(created, "tev")
            address = created.findtext(".//{*}Address")
            for name in ("tev:PullMessages", "tev:SetSynchronizationPoint", "wsnt:Renew", "wsnt:Unsubscribe"):
                answer = await post(session, address, f"<{name}>{ARGUMENTS.get(name, '')}</{name}>")
                check(answer, "tev")
                for message in answer.iter("{*}Message"):
                    if message.tag == f"{{{NAMESPACES['tt']}}}Message":
                        check(message, "tev")

    async def test_a_wrong_answer_is_noticed(self, camera: SimulatedCamera) -> None:
        base = f"http://127.0.0.1:{camera.ports.http}/onvif/device_service"
        async with aiohttp.ClientSession() as session:
            answer = await post(session, base, "<tds:GetDeviceInformation/>")
        answer.append(answer[0])  # the first element last: against the order of the schema
        with pytest.raises(etree.DocumentInvalid):
            check(answer, "tds")
