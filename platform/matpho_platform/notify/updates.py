"""What chat platforms and gateways call us with: proved to come from them, fresh, taken once for ever, done later.

1 prove: Telegram and the Zalo Bot Platform bring a secret of ours in a header, Zalo's official accounts and text
message gateways sign; every comparison takes the same time
2 read what we need of it; the rest is not kept, nor is what was done more than five minutes ago
3 store it, sealed, under the platform's own id of it: a second one with that id is acknowledged and forgotten
4 answer the platform; `ChatDesk` does the work
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from matpho_contracts.errors import BadInputError
from matpho_contracts.times import from_unix_ms, now, unix_ms
from matpho_platform.notify import update_repository as repository
from matpho_platform.notify.channels.sms import SIGNATURE, TIMESTAMP, signed
from matpho_platform.notify.errors import ForgedUpdateError
from matpho_platform.notify.schemas import Channel, ReceiptKind
from matpho_platform.notify.settings import NotifySettings, ZaloOaSettings
from matpho_platform.store.engine import Store
from matpho_platform.store.sealing import Vault

FRESH = timedelta(minutes=5)
MAX_BODY = 64 * 1024
MAX_TEXT = 500
TELEGRAM_HEADER = "x-telegram-bot-api-secret-token"
ZALO_BOT_HEADER = "x-bot-api-secret-token"
ZALO_OA_HEADER = "x-zevent-signature"
_RECEIPTS = {"user_received_message": ReceiptKind.DELIVERED, "user_seen_message": ReceiptKind.SEEN}
_SMS_STATES = {
    "delivered": ReceiptKind.DELIVERED,
    "read": ReceiptKind.SEEN,
    "failed": ReceiptKind.FAILED,
    "undelivered": ReceiptKind.FAILED,
}
MAX_ID = 128
_SECOND, _TIME = re.compile(r"[0-9]{10}"), re.compile(r"[0-9]{1,13}")
_SECONDS_END = 100_000_000_000
"""Unix times below it are seconds, above it milliseconds."""


@dataclass(frozen=True, slots=True)
class Update:
    """What somebody did in a chat, or what a platform says of our messages."""

    update_id: str
    chat: str = ""
    private: bool = False
    text: str = ""
    press: str = ""
    """Data of a pressed button."""
    query: str = ""
    """Telegram's id of the press, good once and for minutes."""
    at_ms: int | None = None
    """When it was done; None: the platform does not say."""
    receipts: tuple[tuple[str, str], ...] = ()
    """(the platform's id of a message, kind)."""


class Inbox:
    """Takes updates in."""

    def __init__(self, store: Store, vault: Vault, settings: NotifySettings) -> None:
        self._store = store
        self._vault = vault
        self._settings = settings

    async def telegram(self, headers: Mapping[str, str], body: bytes, *, at: datetime | None = None) -> bool:
        """Take an update of Telegram's; False where it was taken before. Raises ForgedUpdateError."""
        settings = self._settings.telegram
        _prove_secret(settings.webhook_secret if settings else None, headers.get(TELEGRAM_HEADER, ""))
        return await self._take(Channel.TELEGRAM, _telegram(_document(body)), at or now())

    async def zalo_bot(self, headers: Mapping[str, str], body: bytes, *, at: datetime | None = None) -> bool:
        """Take an update of the Zalo Bot Platform; False where it was taken before. Raises ForgedUpdateError."""
        settings = self._settings.zalo_bot
        _prove_secret(settings.webhook_secret if settings else None, headers.get(ZALO_BOT_HEADER, ""))
        return await self._take(Channel.ZALO_BOT, _zalo_bot(_document(body)), at or now())

    async def zalo_oa(self, headers: Mapping[str, str], body: bytes, *, at: datetime | None = None) -> bool:
        """Take an event of a Zalo official account; False where it was taken before. Raises ForgedUpdateError."""
        settings, document = self._settings.zalo_oa, _document(body)
        if settings is None or not _zalo_signed(settings, document, body, headers.get(ZALO_OA_HEADER, "")):
            raise ForgedUpdateError("This call is not Zalo's.")
        return await self._take(Channel.ZALO_OA, _zalo_oa(document), at or now())

    async def sms(self, headers: Mapping[str, str], body: bytes, *, at: datetime | None = None) -> bool:
        """Take a gateway's receipt `{id, status}`; False where it was taken before. Raises ForgedUpdateError."""
        settings, moment = self._settings.sms, at or now()
        secret = settings.receipt_secret if settings else None
        stamp = headers.get(TIMESTAMP, "")
        if secret is None or not _SECOND.fullmatch(stamp):
            raise ForgedUpdateError("This call is not the gateway's.")
        expected = signed(secret.get_secret_value(), body, int(stamp))[SIGNATURE]
        if not hmac.compare_digest(expected.encode(), headers.get(SIGNATURE, "").encode()):
            raise ForgedUpdateError("This call is not the gateway's.")
        document = _document(body)
        kind = _SMS_STATES.get(str(document.get("status", "")).lower())
        foreign = _text(document.get("id"))
        digest = hashlib.sha256(f"{foreign}:{kind}".encode()).hexdigest()
        receipts = ((foreign, kind.value),) if kind and foreign else ()
        return await self._take(Channel.SMS, Update(digest, at_ms=int(stamp) * 1000, receipts=receipts), moment)

    async def _take(self, channel: Channel, update: Update, at: datetime) -> bool:
        at_ms = unix_ms(at)
        fresh = update.at_ms is None or abs(at - from_unix_ms(update.at_ms)) <= FRESH
        if not fresh and not update.receipts:
            return False
        if not 0 < len(update.update_id) <= MAX_ID:
            raise BadInputError("The update has no id.")
        body = self._vault.seal(json.dumps(asdict(update)).encode(), f"{channel.value}:{update.update_id}")
        values = {
            "channel": channel.value,
            "update_id": update.update_id,
            "received_ms": at_ms,
            "due_ms": at_ms,
            "attempts": 0,
            "body": body,
            "outcome": "",
        }
        async with self._store.writing() as session:
            return await repository.add(session, values)

    def open(self, channel: Channel, update_id: str, sealed: bytes) -> Update:
        """What was stored."""
        document = json.loads(self._vault.open(sealed, f"{channel.value}:{update_id}"))
        receipts = tuple((str(one[0]), str(one[1])) for one in document.pop("receipts"))
        return Update(**document, receipts=receipts)


def _prove_secret(secret: SecretStr | None, said: str) -> None:
    if secret is None or not hmac.compare_digest(secret.get_secret_value().encode(), said.encode()):
        raise ForgedUpdateError("This call does not bring our secret.")


def _zalo_signed(settings: ZaloOaSettings, document: Mapping[str, Any], body: bytes, said: str) -> bool:
    if settings.oa_secret is None:
        return False
    secret, stamp = settings.oa_secret.get_secret_value().encode(), str(document.get("timestamp", ""))
    signed_part = settings.app_id.encode() + body + stamp.encode()
    if settings.signature == "hmac":
        expected = hmac.new(secret, signed_part, hashlib.sha256).hexdigest()
    else:
        expected = hashlib.sha256(signed_part + secret).hexdigest()
    return hmac.compare_digest(expected.encode(), said.removeprefix("mac=").strip().lower().encode())


def _document(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_BODY:
        raise BadInputError("The update is too long.")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise BadInputError("The update is not JSON.") from None
    if not isinstance(found, dict):
        raise BadInputError("The update is no object.")
    return found


def _part(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _text(value: Any) -> str:
    return str(value)[:MAX_TEXT] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _ms(value: Any) -> int:
    """A Unix time in seconds or milliseconds, as text or number; 0, which is never fresh, for anything else."""
    text = _text(value)
    number = int(text) if _TIME.fullmatch(text) else 0
    return number * 1000 if number < _SECONDS_END else number


def _telegram(document: Mapping[str, Any]) -> Update:
    """A press of a button, or a text; Telegram does not say when a button was pressed, but answers for its query."""
    update_id = _text(document.get("update_id"))
    press = _part(document, "callback_query")
    if press:
        chat = _part(_part(press, "message"), "chat")
        sender = _text(_part(press, "from").get("id"))
        return Update(
            update_id, sender, _text(chat.get("id")) == sender, press=_text(press.get("data")),
            query=_text(press.get("id")),
        )  # fmt: skip
    message = _part(document, "message")
    sender = _text(_part(message, "from").get("id"))
    private = _text(_part(message, "chat").get("id")) == sender
    return Update(update_id, sender, private, text=_text(message.get("text")), at_ms=_ms(message.get("date")))


def _zalo_bot(document: Mapping[str, Any]) -> Update:
    message = _part(_part(document, "result"), "message") or _part(document, "message")
    chat = _part(message, "chat")
    return Update(
        _text(message.get("message_id")),
        _text(chat.get("id")),
        _text(chat.get("chat_type")).upper() == "PRIVATE",
        text=_text(message.get("text")),
        at_ms=_ms(message.get("date")),
    )


def _zalo_oa(document: Mapping[str, Any]) -> Update:
    message, event, at_ms = (
        _part(document, "message"),
        _text(document.get("event_name")),
        _ms(document.get("timestamp")),
    )
    ids = message.get("msg_ids") if isinstance(message.get("msg_ids"), list) else [message.get("msg_id")]
    kept = [_text(one) for one in ids or () if _text(one)][:50]
    kind = _RECEIPTS.get(event)
    if kind is not None:
        digest = hashlib.sha256(f"{kind.value}:{','.join(kept)}".encode()).hexdigest()
        return Update(digest, at_ms=at_ms, receipts=tuple((one, kind.value) for one in kept))
    text = _text(message.get("text")) if event == "user_send_text" else ""
    return Update(kept[0] if kept else "", _text(_part(document, "sender").get("id")), True, text=text, at_ms=at_ms)
