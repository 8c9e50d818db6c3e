"""SOAP as bytes: hostile XML, credentials, faults, addresses, Media2, topic filters, outages."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from lxml import etree

from matpho_simcity.camera import CameraIdentity, SimulatedCamera
from matpho_simcity.camera.onvif.xml import MAX_DOCUMENT_BYTES, NAMESPACES
from matpho_simcity.camera.pattern import PatternSource

PASSWORD = "right"
DEVICE = "/onvif/device_service"
MEDIA2 = "/onvif/media2_service"
EVENTS = "/onvif/event_service"


def security(
    password: str = PASSWORD, created: datetime | None = None, nonce: bytes = b"", kind: str = "Digest"
) -> str:
    nonce = nonce or os.urandom(16)
    stamp = (created or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = base64.b64encode(
        hashlib.sha1(nonce + stamp.encode() + password.encode(), usedforsecurity=False).digest()
    ).decode()
    value = digest if kind == "Digest" else password
    profile = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
    return f"""<s:Security xmlns:s="{NAMESPACES["wsse"]}" xmlns:u="{NAMESPACES["wsu"]}" e:mustUnderstand="1">
<s:UsernameToken><s:Username>admin</s:Username><s:Password Type="{profile}#Password{kind}">{value}</s:Password>
<s:Nonce>{base64.b64encode(nonce).decode()}</s:Nonce><u:Created>{stamp}</u:Created></s:UsernameToken></s:Security>"""


def soap(body: str, header: str = "") -> bytes:
    names = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items() if prefix != "env")
    return (
        f'<e:Envelope xmlns:e="{NAMESPACES["env"]}" {names}><e:Header>{header}</e:Header>'
        f"<e:Body>{body}</e:Body></e:Envelope>"
    ).encode()


class Caller:
    def __init__(self, camera: SimulatedCamera, session: aiohttp.ClientSession) -> None:
        self.camera = camera
        self.session = session

    async def post(self, path: str, document: bytes, **headers: str) -> tuple[int, etree._Element]:
        url = f"http://127.0.0.1:{self.camera.ports.http}{path}"
        async with self.session.post(url, data=document, headers=headers) as answer:
            text = await answer.read()
            self.headers = answer.headers
            return answer.status, etree.fromstring(text) if text else etree.Element("empty")

    async def call(self, path: str, body: str) -> etree._Element:
        status, root = await self.post(path, soap(body, security()))
        assert status == 200, etree.tostring(root)
        return root.find("{*}Body")[0]


@pytest.fixture
async def camera() -> AsyncIterator[SimulatedCamera]:
    source = PatternSource((160, 90))
    async with SimulatedCamera(source, CameraIdentity("S1", "Máy"), username="admin", password=PASSWORD) as camera:
        yield camera


@pytest.fixture
async def caller(camera: SimulatedCamera) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(camera, session)


def subcodes(root: etree._Element) -> list[str]:
    return [value.text for value in root.iterfind(".//{*}Subcode/{*}Value")]


class TestHostileXml:
    @pytest.mark.parametrize(
        "document",
        [
            b"",
            b"not xml",
            b"<a/>",
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + soap("<tds:GetUsers/>"),
            b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
            + soap("<tds:GetHostname>&b;</tds:GetHostname>"),
            b"<!DOCTYPE x>" + soap("<tds:GetHostname/>"),
            ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x>' + soap("<tds:GetHostname/>").decode()).encode(
                "utf-16"
            ),
            soap("<a>" * 60 + "</a>" * 60),
            soap("<tds:GetHostname>" + "<a/>" * 3000 + "</tds:GetHostname>"),
            soap("<tds:GetHostname " + " ".join(f'a{n}="1"' for n in range(200)) + "/>"),
            soap(""),
            soap("<tds:GetHostname/><tds:GetUsers/>"),
            soap("<tds:GetHostname>")[:-40],
        ],
    )
    async def test_is_refused_as_the_senders_fault(self, caller: Caller, document: bytes) -> None:
        status, root = await caller.post(DEVICE, document)
        assert status == 400
        assert subcodes(root) == ["ter:WellFormed"]
        assert (await caller.post(DEVICE, soap("<tds:GetHostname/>")))[0] == 200

    async def test_too_large(self, caller: Caller) -> None:
        url = f"http://127.0.0.1:{caller.camera.ports.http}{DEVICE}"
        async with caller.session.post(url, data=b" " * (MAX_DOCUMENT_BYTES + 1)) as answer:
            assert answer.status == 413

    async def test_other_soap_version(self, caller: Caller) -> None:
        old = soap("<tds:GetHostname/>").replace(
            NAMESPACES["env"].encode(), b"http://schemas.xmlsoap.org/soap/envelope/"
        )
        status, root = await caller.post(DEVICE, old)
        assert (status, root.findtext(".//{*}Code/{*}Value")) == (500, "env:VersionMismatch")

    async def test_header_that_must_be_understood(self, caller: Caller) -> None:
        status, root = await caller.post(
            DEVICE, soap("<tds:GetHostname/>", '<x:y xmlns:x="urn:x" e:mustUnderstand="true"/>')
        )
        assert (status, root.findtext(".//{*}Code/{*}Value")) == (500, "env:MustUnderstand")


class TestCredentials:
    @pytest.mark.parametrize(
        "operation",
        ["GetSystemDateAndTime", "GetCapabilities", "GetServices", "GetServiceCapabilities", "GetHostname"],
    )
    async def test_open_operations(self, caller: Caller, operation: str) -> None:
        assert (await caller.post(DEVICE, soap(f"<tds:{operation}/>")))[0] == 200

    async def test_closed_operations_ask_for_digest(self, caller: Caller) -> None:
        for operation in ("GetDeviceInformation", "GetUsers", "GetScopes", "GetNetworkInterfaces"):
            status, _ = await caller.post(DEVICE, soap(f"<tds:{operation}/>"))
            assert status == 401
            challenges = caller.headers.getall("WWW-Authenticate")
            assert ["SHA-256" in challenges[0], "MD5" in challenges[1]] == [True, True]

    async def test_only_the_open_class_is_open(self, camera: SimulatedCamera, caller: Caller) -> None:
        for service in camera._http._services.values():
            for name in service.operations:
                body = f'<x:{name} xmlns:x="{service.namespace}"/>'
                status, _ = await caller.post(service.path, soap(body))
                is_open = name in {
                    "GetSystemDateAndTime",
                    "GetCapabilities",
                    "GetServices",
                    "GetServiceCapabilities",
                    "GetHostname",
                    "GetEndpointReference",
                    "GetWsdlUrl",
                }
                assert (status == 200) is is_open, name
                assert status in (200, 401)

    async def test_token(self, caller: Caller) -> None:
        assert (await caller.post(DEVICE, soap("<tds:GetUsers/>", security())))[0] == 200

    @pytest.mark.parametrize(
        ("password", "kind", "minutes"),
        [("wrong", "Digest", 0), (PASSWORD, "Text", 0), (PASSWORD, "Digest", -10), (PASSWORD, "Digest", 10)],
    )
    async def test_bad_token(self, caller: Caller, password: str, kind: str, minutes: int) -> None:
        header = security(password, datetime.now(UTC) + timedelta(minutes=minutes), kind=kind)
        status, root = await caller.post(DEVICE, soap("<tds:GetUsers/>", header))
        assert status == 400
        assert subcodes(root) == ["ter:NotAuthorized"]
        assert root.nsmap["ter"] == NAMESPACES["ter"]

    async def test_replayed_token(self, caller: Caller) -> None:
        document = soap("<tds:GetUsers/>", security())
        assert [(await caller.post(DEVICE, document))[0] for _ in range(2)] == [200, 400]

    @pytest.mark.parametrize(("password", "status"), [(PASSWORD, 200), ("wrong", 401)])
    async def test_http_digest(self, camera: SimulatedCamera, password: str, status: int) -> None:
        digest = aiohttp.DigestAuthMiddleware("admin", password)
        async with aiohttp.ClientSession(middlewares=(digest,)) as session:
            for _ in range(2):
                assert (await Caller(camera, session).post(DEVICE, soap("<tds:GetUsers/>")))[0] == status

    async def test_password_change(self, camera: SimulatedCamera, caller: Caller) -> None:
        camera.change_password("new")
        assert (await caller.post(DEVICE, soap("<tds:GetUsers/>", security())))[0] == 400
        assert (await caller.post(DEVICE, soap("<tds:GetUsers/>", security("new"))))[0] == 200


class TestFaults:
    @pytest.mark.parametrize(
        ("path", "body", "status", "codes"),
        [
            (DEVICE, "<tds:SystemReboot/>", 500, ["ter:ActionNotSupported"]),
            (DEVICE, "<trt:GetProfiles/>", 400, ["ter:UnknownAction"]),
            (MEDIA2, "<tr2:GetStreamUri/>", 400, ["ter:InvalidArgVal", "ter:NoProfile"]),
            ("/onvif/imaging_service", "<timg:GetOptions/>", 400, ["ter:InvalidArgVal", "ter:NoSource"]),
            (EVENTS + "/subscription/none", "<wsnt:Renew/>", 400, ["ter:InvalidArgVal"]),
        ],
    )
    async def test_codes_and_status(self, caller: Caller, path: str, body: str, status: int, codes: list[str]) -> None:
        answered, root = await caller.post(path, soap(body, security()))
        assert (answered, subcodes(root)) == (status, codes)

    async def test_unknown_path(self, caller: Caller) -> None:
        url = f"http://127.0.0.1:{caller.camera.ports.http}/onvif/other"
        async with caller.session.post(url, data=soap("<tds:GetUsers/>")) as answer:
            assert answer.status == 404


class TestAddresses:
    async def test_follow_the_host_the_client_used(self, caller: Caller) -> None:
        _, root = await caller.post(DEVICE, soap("<tds:GetServices/>"), Host="gate.example:8080")
        assert {one.text.split("/onvif")[0] for one in root.iter("{*}XAddr")} == {"http://gate.example:8080"}

    @pytest.mark.parametrize("host", ["a b", 'evil"<x>', "x:99999", "[::1"])
    async def test_a_senseless_host_is_not_echoed(self, caller: Caller, host: str) -> None:
        _, root = await caller.post(DEVICE, soap("<tds:GetServices/>"), Host=host)
        own = f"http://127.0.0.1:{caller.camera.ports.http}"
        assert {one.text.split("/onvif")[0] for one in root.iter("{*}XAddr")} == {own}


class TestMedia2:
    async def test_profiles_by_type(self, caller: Caller) -> None:
        bare = await caller.call(MEDIA2, "<tr2:GetProfiles/>")
        assert [one.get("token") for one in bare] == ["profile_main", "profile_sub"]
        assert bare.find(".//{*}Configurations") is None
        full = await caller.call(MEDIA2, "<tr2:GetProfiles><tr2:Type>All</tr2:Type></tr2:GetProfiles>")
        assert [one.tag.rpartition("}")[2] for one in full[0].find("{*}Configurations")] == [
            "VideoSource",
            "VideoEncoder",
            "PTZ",
        ]

    async def test_addresses(self, caller: Caller) -> None:
        token = "<tr2:ProfileToken>profile_sub</tr2:ProfileToken>"
        uri = await caller.call(
            MEDIA2, f"<tr2:GetStreamUri><tr2:Protocol>RtspUnicast</tr2:Protocol>{token}</tr2:GetStreamUri>"
        )
        assert uri.findtext("{*}Uri") == caller.camera.stream_url("sub")
        still = await caller.call(MEDIA2, f"<tr2:GetSnapshotUri>{token}</tr2:GetSnapshotUri>")
        assert still.findtext("{*}Uri").endswith("/onvif/snapshot/profile_sub")

    async def test_encoder_options_and_change(self, caller: Caller) -> None:
        options = await caller.call(MEDIA2, "<tr2:GetVideoEncoderConfigurationOptions/>")
        assert [one.get("FrameRatesSupported") for one in options] == ["10", "10"]
        configurations = await caller.call(MEDIA2, "<tr2:GetVideoEncoderConfigurations/>")
        text = etree.tostring(configurations[0]).decode().replace("<tt:BitrateLimit>1500<", "<tt:BitrateLimit>500<")
        text = re.sub(r"tr2:Configurations", "tr2:Configuration", text)
        await caller.call(MEDIA2, f"<tr2:SetVideoEncoderConfiguration>{text}</tr2:SetVideoEncoderConfiguration>")
        changed = await caller.call(MEDIA2, "<tr2:GetVideoEncoderConfigurations/>")
        assert changed.findtext(".//{*}BitrateLimit") == "500"


class TestTopicFilter:
    async def subscribe(
        self, caller: Caller, expression: str, dialect: str = "ConcreteSet"
    ) -> tuple[int, etree._Element]:
        uri = {
            "ConcreteSet": "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet",
            "XPath": "http://www.w3.org/TR/1999/REC-xpath-19991116",
        }[dialect]
        body = (
            f'<tev:CreatePullPointSubscription><tev:Filter><wsnt:TopicExpression Dialect="{uri}">{expression}'
            "</wsnt:TopicExpression></tev:Filter></tev:CreatePullPointSubscription>"
        )
        return await caller.post(EVENTS, soap(body, security() + "<wsa:MessageID>urn:uuid:1</wsa:MessageID>"))

    @pytest.mark.parametrize(
        ("expression", "count"),
        [
            ("tns1:VideoSource/MotionAlarm", 1),
            ("tns1:VideoSource//.", 1),
            ("tns1:VideoSource/MotionAlarm|tns1:Device//.", 2),
            ("tns1:VideoSource", 0),
            ("tns1:Nothing//.", 0),
        ],
    )
    async def test_what_comes(self, caller: Caller, expression: str, count: int) -> None:
        status, root = await self.subscribe(caller, expression)
        assert status == 200
        assert root.findtext(".//{*}RelatesTo") == "urn:uuid:1"
        path = "/onvif" + root.findtext(".//{*}Address").partition("/onvif")[2]
        arguments = "<tev:Timeout>PT0.1S</tev:Timeout><tev:MessageLimit>9</tev:MessageLimit>"
        pull = f"<tev:PullMessages>{arguments}</tev:PullMessages>"
        answer = await caller.call(path, pull)
        assert len(answer.findall("{*}NotificationMessage")) == count
        await caller.call(path, "<wsnt:Unsubscribe/>")

    @pytest.mark.parametrize("expression", ["tns9:VideoSource", "VideoSource", "tns1:A/../B", "tns1:*", ""])
    async def test_invalid(self, caller: Caller, expression: str) -> None:
        status, root = await self.subscribe(caller, expression)
        assert status == 400
        assert root.find(".//{*}InvalidTopicExpressionFault") is not None

    async def test_unknown_dialect(self, caller: Caller) -> None:
        _, root = await self.subscribe(caller, "boolean(//x)", "XPath")
        assert root.find(".//{*}TopicExpressionDialectUnknownFault") is not None

    async def test_nobody_pulls_without_the_password(self, caller: Caller) -> None:
        _, root = await self.subscribe(caller, "tns1:Device//.")
        path = "/onvif" + root.findtext(".//{*}Address").partition("/onvif")[2]
        assert (await caller.post(path, soap("<wsnt:Unsubscribe/>")))[0] == 401


class TestOutage:
    async def test_offline_and_back_on_the_same_ports(self, camera: SimulatedCamera, caller: Caller) -> None:
        ports = camera.ports
        await camera.go_offline()
        with pytest.raises(aiohttp.ClientConnectionError):
            await caller.post(DEVICE, soap("<tds:GetHostname/>"))
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", ports.rtsp)
        await camera.come_back()
        assert camera.ports == ports
        assert (await caller.post(DEVICE, soap("<tds:GetHostname/>")))[0] == 200

    async def test_a_source_that_fails_is_survived(self, camera: SimulatedCamera) -> None:
        digest = aiohttp.DigestAuthMiddleware("admin", PASSWORD)
        url = f"http://127.0.0.1:{camera.ports.http}/onvif/snapshot/profile_main"
        camera._state.worker._source.failures = 1
        async with aiohttp.ClientSession(middlewares=(digest,)) as session:
            async with session.get(url) as answer:
                assert answer.status == 503
            async with session.get(url) as answer:
                assert (answer.status, answer.content_type) == (200, "image/jpeg")
