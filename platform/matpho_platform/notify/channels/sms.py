"""Text messages through a gateway over HTTP, whose names of things are the settings'."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from urllib.parse import urlencode

from matpho_contracts.times import now, unix_ms
from matpho_platform.notify.channels.http import Http
from matpho_platform.notify.errors import RefusedError
from matpho_platform.notify.formats import text_message
from matpho_platform.notify.outgoing import Outgoing, Taken
from matpho_platform.notify.schemas import Channel
from matpho_platform.notify.settings import SmsSettings

SIGNATURE = "x-matpho-signature"
TIMESTAMP = "x-matpho-timestamp"
_PLACE = re.compile(r"\{(to|text|key)\}")
_TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


class SmsSender:
    """One gateway."""

    channel = Channel.SMS
    takes_pictures = False

    def __init__(self, settings: SmsSettings, http: Http) -> None:
        self._settings = settings
        self._http = http

    async def send(self, address: str, message: Outgoing) -> Taken:
        """The idempotency key goes along as a field and as a header."""
        settings = self._settings
        text = text_message(message, marks=settings.marks, max_parts=settings.max_parts)
        key = hashlib.sha256(message.key.encode()).hexdigest()[:32]
        values = {"to": address, "text": text, "key": key}
        fields = {name: _PLACE.sub(lambda m: values[m[1]], value) for name, value in settings.fields.items()}
        body = (json.dumps(fields, ensure_ascii=False) if settings.encoding == "json" else urlencode(fields)).encode()
        headers = {name.lower(): value.get_secret_value() for name, value in settings.headers.items()}
        headers |= {"content-type": _TYPES[settings.encoding], "idempotency-key": key}
        if settings.secret is not None:
            headers |= signed(settings.secret.get_secret_value(), body)
        answer = await self._http.post(settings.url, content=body, headers=headers)
        answer.check()
        said = answer.document()
        if said.get("success") is False or said.get("error"):
            raise RefusedError("the gateway says no")
        return Taken(str(said.get(settings.id_field) or key)[:200])

    async def close(self) -> None:
        """The HTTP client is its owner's."""


def signed(secret: str, body: bytes, at_s: int | None = None) -> dict[str, str]:
    """The headers that sign a body: HMAC-SHA-256 of the Unix second, a dot and the body."""
    stamp = str(unix_ms(now()) // 1000 if at_s is None else at_s)
    mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP: stamp, SIGNATURE: f"sha256={mac}"}
