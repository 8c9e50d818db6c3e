"""Notices to other systems as JSON, signed with the center's key (RFC 9421); only to targets of the settings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from matpho_contracts.request_signing import sign_headers
from matpho_contracts.signing import SigningKey
from matpho_platform.notify.channels.http import Http
from matpho_platform.notify.channels.sms import signed
from matpho_platform.notify.errors import RefusedError
from matpho_platform.notify.outgoing import Outgoing, Taken
from matpho_platform.notify.schemas import Channel
from matpho_platform.notify.settings import WebhookTarget

TAG = "matpho-notice"


class WebhookSender:
    """The configured targets; an address is a target's name."""

    channel = Channel.WEBHOOK
    takes_pictures = False

    def __init__(self, targets: Sequence[WebhookTarget], key: SigningKey, http: Http) -> None:
        self._targets = {target.name: target for target in targets}
        self._key = key
        self._http = http

    async def send(self, address: str, message: Outgoing) -> Taken:
        """The receiver knows a repeat by `Idempotency-Key`."""
        target = self._targets.get(address)
        if target is None:
            raise RefusedError("no such target", address_dead=True)
        key = hashlib.sha256(message.key.encode()).hexdigest()[:32]
        body = json.dumps(_document(message, key), ensure_ascii=False, sort_keys=True).encode()
        headers = sign_headers(self._key, "POST", target.url, body, tag=TAG)
        headers |= {"content-type": "application/json", "idempotency-key": key}
        if target.secret is not None:
            headers |= signed(target.secret.get_secret_value(), body)
        (await self._http.post(target.url, content=body, headers=headers)).check()
        return Taken(key)

    async def close(self) -> None:
        """The HTTP client is its owner's."""


def _document(message: Outgoing, key: str) -> dict[str, object]:
    return {"id": key, "title": message.title, "language": message.language, "link": message.link} | dict(message.data)
