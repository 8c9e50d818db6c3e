"""The Zalo Bot Platform: text alone. It takes pictures by public address, and no evidence is public: a link goes."""

from __future__ import annotations

import json
from typing import Any

from matpho_platform.notify.channels.http import Http
from matpho_platform.notify.errors import RefusedError, SendError
from matpho_platform.notify.formats import plain
from matpho_platform.notify.outgoing import Outgoing, Taken
from matpho_platform.notify.schemas import Channel
from matpho_platform.notify.settings import ZaloBotSettings

MAX_TEXT = 2000
_TOO_MANY, _TIMEOUT, _TOKEN = 429, 408, 401


class ZaloBotSender:
    """One bot. People answer by text, for it has no buttons."""

    channel = Channel.ZALO_BOT
    takes_pictures = False

    def __init__(self, settings: ZaloBotSettings, http: Http) -> None:
        self._settings = settings
        self._http = http

    async def send(self, address: str, message: Outgoing) -> Taken:
        """Title, lines, how to answer, link."""
        result = await self._call("sendMessage", {"chat_id": address, "text": plain(message, MAX_TEXT)})
        return Taken(str(result.get("message_id", ""))[:200])

    async def say(self, chat: str, text: str) -> None:
        """A plain sentence of our own to a chat."""
        await self._call("sendMessage", {"chat_id": chat, "text": text[:MAX_TEXT]})

    async def _call(self, method: str, fields: dict[str, str]) -> dict[str, Any]:
        url = f"{self._settings.url}/bot{self._settings.token.get_secret_value()}/{method}"
        content = json.dumps(fields, ensure_ascii=False).encode()
        answer = await self._http.post(url, content=content, headers={"content-type": "application/json"})
        document = answer.document()
        if answer.good and document.get("ok") is True:
            result = document.get("result")
            return result if isinstance(result, dict) else {}
        code = document.get("error_code", answer.status)
        if code in (_TOO_MANY, _TIMEOUT, _TOKEN) or answer.status >= 500:
            raise SendError(f"Zalo says {code}", retry_after_s=answer.retry_after_s())
        raise RefusedError(f"Zalo says {code}")

    async def close(self) -> None:
        """The HTTP client is its owner's."""
