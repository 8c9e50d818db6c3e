"""Notices through people's browsers (RFC 8030, 8291, 8292): encrypted to the browser, signed with our VAPID key."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from base64 import urlsafe_b64encode
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02  # type: ignore[import-untyped]  # the library has no stubs
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pywebpush import WebPusher, WebPushException  # type: ignore[import-untyped]  # the library has no stubs

from matpho_platform.notify.channels.http import Http
from matpho_platform.notify.errors import AddressError, RefusedError
from matpho_platform.notify.outgoing import Outgoing, Taken
from matpho_platform.notify.plain_text import cut
from matpho_platform.notify.schemas import Channel
from matpho_platform.notify.settings import WebPushSettings

MAX_BODY = 300
LIFE_S = 12 * 3600
"""How long a push service keeps a message for a browser that is away, and how long our word to it is good."""
_GONE = frozenset({404, 410})


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    p256dh: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{80,100}={0,2}$")]
    auth: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{20,30}={0,2}$")]


class Subscription(BaseModel):
    """What a browser gives: where to send, and the keys to encrypt with."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    endpoint: Annotated[str, StringConstraints(min_length=10, max_length=1000)]
    keys: _Keys


class VapidKey:
    """The installation's key pair for push services, made once, in a file of mode 0600; its repr says nothing."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private

    @classmethod
    def load_or_create(cls, path: Path) -> VapidKey:
        """The key of a file, made when it is absent."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            private = serialization.load_pem_private_key(path.read_bytes(), None)
            if not isinstance(private, ec.EllipticCurvePrivateKey):
                raise TypeError(f"{path.name} holds no key of an elliptic curve") from None
            return cls(private)
        made = ec.generate_private_key(ec.SECP256R1())
        plain = serialization.NoEncryption()
        form = serialization.PrivateFormat.PKCS8
        with os.fdopen(handle, "wb") as file:
            file.write(made.private_bytes(serialization.Encoding.PEM, form, plain))
            file.flush()
            os.fsync(file.fileno())
        return cls(made)

    @property
    def public(self) -> str:
        """What a page needs to subscribe (`applicationServerKey`): base64url of the uncompressed point."""
        encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        return urlsafe_b64encode(self._private.public_key().public_bytes(encoding, form)).rstrip(b"=").decode()

    def authorization(self, endpoint: str, contact: str) -> str:
        """The header that shows a push service who we are."""
        parts = urlsplit(endpoint)
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(time.time()) + LIFE_S, "sub": contact}
        return str(Vapid02(self._private).sign(claims)["Authorization"])

    def __repr__(self) -> str:
        return "VapidKey()"


class WebPushSender:
    """All push services that the settings allow; an address is a subscription as JSON."""

    channel = Channel.WEB_PUSH
    takes_pictures = False

    def __init__(self, settings: WebPushSettings, key: VapidKey, http: Http) -> None:
        self._settings = settings
        self._key = key
        self._http = http

    @property
    def public_key(self) -> str:
        """What a page needs to subscribe."""
        return self._key.public

    def checked(self, address: str) -> str:
        """A subscription as it is kept; raises AddressError."""
        return self.read(address).model_dump_json()

    def read(self, address: str) -> Subscription:
        """A subscription, checked: its service must be one of the settings. Raises AddressError."""
        try:
            found = Subscription.model_validate_json(address)
        except ValidationError:
            raise AddressError("This is no subscription of a browser.") from None
        parts = urlsplit(found.endpoint)
        allowed = any(fnmatchcase(parts.netloc, service) for service in self._settings.services)
        local = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not allowed or parts.username or not (parts.scheme == "https" or local):
            raise AddressError("The browser's push service is not one that this installation uses.")
        return found

    async def send(self, address: str, message: Outgoing) -> Taken:
        """`Topic` is the idempotency key: a push service keeps one message of a topic."""
        try:
            subscription = self.read(address)
        except AddressError as error:
            raise RefusedError(error.code, address_dead=True) from None
        body = await asyncio.to_thread(_encrypted, subscription, _payload(message))
        topic = hashlib.sha256(message.key.encode()).hexdigest()[:32]
        headers = {
            "content-type": "application/octet-stream",
            "content-encoding": "aes128gcm",
            "ttl": str(LIFE_S),
            "urgency": "high" if message.critical else "normal",
            "topic": topic,
            "authorization": self._key.authorization(subscription.endpoint, self._settings.contact),
        }
        answer = await self._http.post(subscription.endpoint, content=body, headers=headers)
        if answer.status in _GONE:
            raise RefusedError("the browser has unsubscribed", address_dead=True)
        answer.check()
        return Taken(topic)

    async def close(self) -> None:
        """The HTTP client is its owner's."""


def _payload(message: Outgoing) -> bytes:
    body = "\n".join(f"{line.label}: {line.value}" if line.label else line.value for line in message.lines)
    actions = [{"action": action.value, "title": words} for action, words in message.actions]
    document = {
        "title": message.title,
        "body": cut(body, MAX_BODY),
        "link": message.link,
        "token": message.token,
        "lang": message.language,
        "actions": actions,
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _encrypted(subscription: Subscription, payload: bytes) -> bytes:
    try:
        return bytes(WebPusher(subscription.model_dump()).encode(payload, "aes128gcm")["body"])
    except (WebPushException, ValueError) as error:
        raise RefusedError(type(error).__name__, address_dead=True) from None
