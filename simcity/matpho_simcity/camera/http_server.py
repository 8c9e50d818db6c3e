"""The camera's HTTP side: SOAP services and stills, with credentials judged before anything is done."""

from __future__ import annotations

import asyncio
import logging
import re

from aiohttp import web
from lxml import etree

from matpho_simcity.camera.access import Nonces
from matpho_simcity.camera.digest import DigestGuard, Verdict
from matpho_simcity.camera.errors import PortTakenError
from matpho_simcity.camera.onvif import events, imaging, media, media2, ptz
from matpho_simcity.camera.onvif.device import device_service
from matpho_simcity.camera.onvif.operations import Call, Operation, Service
from matpho_simcity.camera.onvif.soap import (
    CONTENT_TYPE,
    SoapFaultError,
    SoapRequest,
    envelope,
    fault,
    not_supported,
    read_request,
)
from matpho_simcity.camera.onvif.xml import MAX_DOCUMENT_BYTES, local
from matpho_simcity.camera.state import CameraState, Profile
from matpho_simcity.camera.wsse import TokenGuard

BODY_SECONDS = 10.0
STILL_SECONDS = 10.0
CALL_SECONDS = 75.0  # longer than the longest pull
SHUTDOWN_SECONDS = 1.0
BACKLOG = 128
_HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::(\d{1,5}))?")
_log = logging.getLogger(__name__)


def services_of(camera: CameraState) -> list[Service]:
    """The services a camera offers; a fixed one has no PTZ."""
    movable = [ptz.SERVICE] if camera.has_ptz else []
    return [device_service(services_of), media.SERVICE, media2.SERVICE, imaging.SERVICE, events.SERVICE, *movable]


class CameraHttpServer:
    """Serves one camera on one port; `start` after `stop` listens on the same port again."""

    def __init__(self, camera: CameraState, host: str, port: int, realm: str) -> None:
        self._camera = camera
        self.host = host
        self.port = port
        limits = camera.settings.limits
        self.nonces = Nonces(limits.nonce_lifetime)
        self._digest = DigestGuard(camera.account, realm, self.nonces, offer_qop=True)
        self._tokens = TokenGuard(camera.account, limits.created_window, camera.clock.now)
        self._services = {service.path: service for service in services_of(camera)}
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; raises `PortTakenError` when the address cannot be used."""
        app = web.Application(client_max_size=MAX_DOCUMENT_BYTES)
        for service in self._services.values():
            app.router.add_post(service.path, self._soap)
        app.router.add_post(events.PATH + "/subscription/{resource}", self._soap)
        app.router.add_get(media.SNAPSHOT_PATH + "{profile}", self._snapshot)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port, backlog=BACKLOG, reuse_address=True).start()
        except OSError as error:
            await runner.cleanup()
            raise PortTakenError(
                f"The camera cannot listen for HTTP on {self.host}:{self.port}: {error.strerror}.",
                action="Choose another address, or port 0 for a free one.",
            ) from error
        self.port = int(runner.addresses[0][1])
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening and close connections."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    def _challenge(self, *, stale: bool) -> web.HTTPUnauthorized:
        refusal = web.HTTPUnauthorized(text="")
        for challenge in self._digest.challenges(stale=stale):
            refusal.headers.add("WWW-Authenticate", challenge)
        return refusal

    def _judge_http(self, request: web.Request) -> Verdict:
        return self._digest.judge(request.headers.get("Authorization"), request.method, request.raw_path)

    def _client_view(self, request: web.Request) -> tuple[str, int]:
        """Host and port as the client addressed us; our own where its Host header makes no sense."""
        match = _HOST.fullmatch(request.headers.get("Host", ""))
        if match is None:
            return self.host, self.port
        port = int(match[2] or 80)
        return (match[1], port) if 0 < port < 65536 else (self.host, self.port)

    async def _snapshot(self, request: web.Request) -> web.Response:
        verdict = self._judge_http(request)
        if verdict is not Verdict.ALLOWED:
            raise self._challenge(stale=verdict is Verdict.STALE)
        wanted = request.match_info["profile"]
        profile = next((one for one in self._camera.profiles() if one.token == wanted), None)
        if profile is None:
            raise web.HTTPNotFound(text="")
        try:
            async with asyncio.timeout(STILL_SECONDS):
                picture = await self._still(profile)
        except Exception as error:
            raise web.HTTPServiceUnavailable(text="") from error
        return web.Response(body=picture, content_type="image/jpeg", headers={"Cache-Control": "no-store"})

    async def _still(self, profile: Profile) -> bytes:
        stream = profile.stream.format
        return await self._camera.worker.still((stream.width, stream.height))

    async def _soap(self, request: web.Request) -> web.StreamResponse:
        relates_to = ""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                document = await request.read()
            message = read_request(document)
            relates_to = message.message_id
            operation = self._operation(request, message)
            self._authorise(request, message, operation)
            host, port = self._client_view(request)
            call = Call(self._camera, message.operation, host, port, request.match_info.get("resource", ""))
            async with asyncio.timeout(CALL_SECONDS):
                answer = await operation.answer(call)
            body, status = envelope(answer, action=operation.action, relates_to=relates_to), 200
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="") from None
        except SoapFaultError as problem:
            body, status = fault(problem, relates_to), problem.status
        except (web.HTTPException, asyncio.CancelledError):
            raise
        except Exception:
            _log.exception("An ONVIF operation failed.")
            body, status = fault(SoapFaultError("Receiver", ("ter:Action",), "Internal error."), relates_to), 500
        return web.Response(body=body, status=status, headers={"Content-Type": CONTENT_TYPE})

    def _operation(self, request: web.Request, message: SoapRequest) -> Operation:
        path = events.PATH if "resource" in request.match_info else request.path
        service, name = self._services[path], local(message.operation)
        operation = service.operations.get(name)
        if etree.QName(message.operation).namespace not in service.request_namespaces:
            raise SoapFaultError("Sender", ("ter:UnknownAction",), "This address serves another namespace.")
        if operation is None:
            raise not_supported("The operation")
        return operation

    def _authorise(self, request: web.Request, message: SoapRequest, operation: Operation) -> None:
        """Let open operations pass; judge HTTP Digest if sent, else the token; ask for Digest when there is neither."""
        if operation.pre_auth:
            return
        verdict = self._judge_http(request)
        if verdict is Verdict.MISSING and message.token is not None:
            if self._tokens.judge(message.token) is Verdict.ALLOWED:
                return
            raise SoapFaultError("Sender", ("ter:NotAuthorized",), "The credentials are not accepted.")
        if verdict is not Verdict.ALLOWED:
            raise self._challenge(stale=verdict is Verdict.STALE)
