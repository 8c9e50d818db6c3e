"""The simulated centre as a real HTTP server: signed requests in, signed answers out, and ways to be slow or broken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiohttp import web
from pydantic import ValidationError

from matpho_contracts.identity_api import CHECKS_PATH, CONTENT_TYPE, MAX_REQUEST_BYTES, TAG, CheckAnswer, CheckRequest
from matpho_contracts.request_signing import MAX_AGE, verify_request
from matpho_contracts.signing import PublicKey, SignatureError, SigningKey
from matpho_contracts.times import now as present
from matpho_simcity.authentication_centre.desk import Desk

BODY_SECONDS = 5.0
MAX_NONCES = 100_000
Fault = Literal["", "status", "not_json", "huge", "cut", "forged", "more_fields", "other_request", "redirect"]


@dataclass(slots=True)
class Behaviour:
    """How the centre misbehaves, changeable while it runs."""

    delay_s: float = 0.0
    fault: Fault = ""
    status: int = 503


class AuthenticationCentreServer:
    """One centre on loopback; `units` says which key speaks for which unit."""

    def __init__(
        self,
        desk: Desk,
        units: Mapping[str, PublicKey],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], datetime] = present,
    ) -> None:
        self._desk = desk
        self._units = {key.key_id: (unit, key) for unit, key in units.items()}
        self._host, self._port = host, port
        self._clock = clock
        self._nonces: dict[str, datetime] = {}
        self._runner: web.AppRunner | None = None
        self.behaviour = Behaviour()
        self.received = 0
        """Requests that reached the server, whatever became of them."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_post(CHECKS_PATH, self._check)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, self._host, self._port).start()
        self._port = int(runner.addresses[0][1])
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _check(self, http: web.Request) -> web.StreamResponse:
        """1 read within limits; 2 who signed; 3 a nonce once; 4 one well-formed request of that unit; 5 the desk."""
        self.received += 1
        async with asyncio.timeout(BODY_SECONDS):
            body = await http.read()  # 1
        try:
            verified = verify_request(
                http.method,
                http.raw_path,
                http.headers,
                body,
                lambda key_id: self._units.get(key_id, (None, None))[1],
                tag=TAG,
            )  # 2
        except SignatureError:
            return _problem(401, "signature")
        unit = self._units[verified.key_id][0]
        if not self._fresh(f"{verified.key_id}/{verified.nonce}"):  # 3
            return _problem(409, "nonce")
        try:
            request = CheckRequest.model_validate_json(body)  # 4
        except ValidationError:
            return _problem(422, "malformed")
        if request.unit_code != unit:
            return _problem(403, "other_unit")
        if self.behaviour.delay_s:
            await asyncio.sleep(self.behaviour.delay_s)
        if self.behaviour.fault == "status":
            return _problem(self.behaviour.status, "down")
        answer = self._desk.answer(request, self._clock())  # 5
        return await self._answered(http, answer)

    def _fresh(self, nonce: str) -> bool:
        now = self._clock()
        self._nonces = {name: seen for name, seen in self._nonces.items() if now - seen <= 2 * MAX_AGE}
        if nonce in self._nonces or len(self._nonces) >= MAX_NONCES:
            return False
        self._nonces[nonce] = now
        return True

    async def _answered(self, http: web.Request, answer: CheckAnswer) -> web.StreamResponse:
        fault = self.behaviour.fault
        text = answer.model_dump_json()
        if fault == "not_json":
            text = "<html>proxy error</html>"
        elif fault == "huge":
            text += " " * 1_000_000  # true and whole, and far too long
        elif fault == "forged":
            other = SigningKey.generate()
            text = answer.model_copy(update={"signature": other.sign(answer.statement()).hex()}).model_dump_json()
        elif fault in ("more_fields", "other_request"):
            text = self._lied(answer, fault).model_dump_json()
        elif fault == "redirect":
            raise web.HTTPTemporaryRedirect("/elsewhere")
        response = web.StreamResponse(headers={"content-type": CONTENT_TYPE, "content-length": str(len(text.encode()))})
        await response.prepare(http)
        await response.write(text.encode()[: 20 if fault == "cut" else None])
        if fault == "cut" and http.transport is not None:
            http.transport.close()
        return response

    def _lied(self, answer: CheckAnswer, fault: str) -> CheckAnswer:
        """An answer with the centre's true signature over what nobody asked for."""
        values = {**answer.values, "số điện thoại": "0900000000"} if fault == "more_fields" else answer.values
        digest = answer.request_digest if fault == "more_fields" else "0" * 64
        false = answer.model_copy(update={"values": values, "request_digest": digest})
        return false.model_copy(update={"signature": self._desk.key.sign(false.statement()).hex()})


def _problem(status: int, code: str) -> web.Response:
    return web.json_response({"code": code}, status=status)
