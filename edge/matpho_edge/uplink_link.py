"""The wire to the center: one client, every request signed, every answer bounded, every failure one of three kinds."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from pydantic import BaseModel, SecretStr, ValidationError

from matpho_contracts.edge_api import (
    BATCHES_PATH,
    ENROL_PATH,
    MAX_COMMAND_WAIT_S,
    CommandFailure,
    CommandList,
    EnrolAnswer,
    EnrolRequest,
    IntakeAnswer,
    StatusReport,
    commands_path,
    result_path,
    status_path,
)
from matpho_contracts.errors import BadInputError, ConfigurationError, UnavailableError
from matpho_contracts.request_signing import sign_headers
from matpho_contracts.signing import SigningKey
from matpho_contracts.wire import CONTENT_TYPE

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""Far more than the results of a thousand events; a longer answer is no answer."""
TIMEOUT = httpx2.Timeout(30.0, connect=10.0)
UPLOAD_TIMEOUT = httpx2.Timeout(300.0, connect=10.0)
_REFUSED_STATUS = frozenset({400, 413, 415, 422})
_STRANGER_STATUS = frozenset({401, 403, 404})

Answer = TypeVar("Answer", bound=BaseModel)


class NotAcceptedError(UnavailableError):
    """The center does not know this box or its key; it is asked again, slowly, after a person has enrolled the box."""

    code = "not_accepted"


class RefusedError(BadInputError):
    """The center has read the request and will never take it as it is."""

    code = "refused"


class CenterLink:
    """Requests of one box to one center. Errors: UnavailableError (try again), NotAcceptedError, RefusedError."""

    def __init__(
        self,
        url: str,
        *,
        edge_id: str,
        key: SigningKey,
        ca_file: Path | None = None,
        client_certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self.url = check_center_url(url)
        self.edge_id = edge_id
        self._key = key
        self._client = httpx2.AsyncClient(
            base_url=self.url,
            verify=_tls(ca_file, client_certificate) if self.url.startswith("https://") else False,
            timeout=TIMEOUT,
            trust_env=False,
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def enrol(self, token: SecretStr) -> EnrolAnswer:
        """Show the one-time token and the public key; the answer names the key that the center has bound."""
        request = EnrolRequest(edge_id=self.edge_id, token=token, public_key=self._key.public.raw.hex())
        document = {**request.model_dump(exclude={"token"}), "token": token.get_secret_value()}
        raw = await self._send("POST", ENROL_PATH, json=document)
        answer = _read(EnrolAnswer, raw)
        if answer.key_id != self._key.public.key_id or answer.edge_id != self.edge_id:
            raise NotAcceptedError("The center has bound another key than this box's.", action="Enrol the box anew.")
        return answer

    async def send_batch(self, body: bytes) -> IntakeAnswer:
        """Deliver a signed batch; the answer comes after the center has it on disk."""
        headers = {"content-type": CONTENT_TYPE}
        return _read(IntakeAnswer, await self._send("POST", BATCHES_PATH, body, headers, patience=UPLOAD_TIMEOUT))

    async def report(self, report: StatusReport) -> None:
        """Say how the box is."""
        body = report.model_dump_json().encode()
        await self._signed("PUT", status_path(self.edge_id), body, "application/json")

    async def commands(self, wait_s: int = MAX_COMMAND_WAIT_S) -> CommandList:
        """Ask what to do; the center holds the answer back for up to `wait_s` seconds."""
        wait = max(0, min(wait_s, MAX_COMMAND_WAIT_S))
        patience = httpx2.Timeout(wait + 15.0, connect=10.0)
        raw = await self._signed("GET", f"{commands_path(self.edge_id)}?wait={wait}", b"", None, patience=patience)
        return _read(CommandList, raw)

    async def answer(self, command_id: str, body: bytes, media_type: str) -> None:
        """Deliver what a command asked for."""
        path = result_path(self.edge_id, command_id)
        await self._signed("POST", path, body, media_type, patience=UPLOAD_TIMEOUT)

    async def fail(self, command_id: str, failure: CommandFailure) -> None:
        """Say why a command could not be done."""
        path = result_path(self.edge_id, command_id)
        await self._signed("POST", path, failure.model_dump_json().encode(), "application/json")

    async def _signed(
        self, method: str, target: str, body: bytes, media_type: str | None, *, patience: httpx2.Timeout = TIMEOUT
    ) -> bytes:
        headers = sign_headers(self._key, method, target, body)
        if media_type is not None:
            headers["content-type"] = media_type
        return await self._send(method, target, body, headers, patience=patience)

    async def _send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        json: object = None,
        patience: httpx2.Timeout = TIMEOUT,
    ) -> bytes:
        content = body if json is None else None
        request = self._client.build_request(
            method, target, content=content, json=json, headers=dict(headers or {}), timeout=patience
        )
        try:
            response = await self._client.send(request, stream=True)
            try:
                raw = await _bounded(response)
            finally:
                await response.aclose()
        except (httpx2.HTTPError, ssl.SSLError, OSError) as error:
            raise UnavailableError(
                f"The center {self.url} did not answer ({type(error).__name__}).", action="It is tried again."
            ) from error
        return self._judge(response.status_code, raw)

    def _judge(self, status: int, raw: bytes) -> bytes:
        if 200 <= status < 300:
            return raw
        if status in _REFUSED_STATUS:
            raise RefusedError(f"The center refused the request ({status}): {_reason(raw)}")
        if status in _STRANGER_STATUS:
            raise NotAcceptedError(
                f"The center {self.url} does not accept this box ({status}).", action="Enrol it at the center."
            )
        raise UnavailableError(f"The center {self.url} cannot take requests now ({status}).")


def check_center_url(url: str) -> str:
    """The URL without a trailing slash; ConfigurationError unless it is https, or http to this very machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError("The center's address is not a URL.", action="Write https://host[:port].") from error
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise ConfigurationError("The center's address is not an https:// URL.", action="Write https://host[:port].")
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError("The center's address holds a password.", action="A box signs with its key instead.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ConfigurationError(
            f"Events would travel unencrypted to {host}.", action="Use https://; http is for this machine alone."
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls(ca_file: Path | None, client_certificate: tuple[Path, Path] | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if client_certificate is not None:
            context.load_cert_chain(str(client_certificate[0]), str(client_certificate[1]))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError("The box's TLS files cannot be used.", action="Check their paths and kind.") from error
    return context


async def _bounded(response: httpx2.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise UnavailableError("The center's answer is absurdly long.")
        parts.append(part)
    return b"".join(parts)


def _read(model: type[Answer], raw: bytes) -> Answer:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise UnavailableError("The center's answer cannot be read: is it a Matpho center?") from error


def _reason(raw: bytes) -> str:
    text = raw[:300].decode("utf-8", "replace")
    return "".join(character if character.isprintable() else " " for character in text)
