"""Telegram by its Bot API: text, still, buttons; waits that it asks for are kept.

Telegram knows no idempotency key: a message whose answer was lost may come twice, and both copies have the same button.
"""

from __future__ import annotations

import json
from typing import Any

from matpho_platform.notify.channels.http import MAX_RETRY_S, Http
from matpho_platform.notify.errors import RefusedError, SendError
from matpho_platform.notify.formats import telegram_html
from matpho_platform.notify.outgoing import Outgoing, Taken
from matpho_platform.notify.schemas import Action, Channel
from matpho_platform.notify.settings import TelegramSettings

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ANSWER = 200
"""Of the Bot API: a message, a picture's caption, the note that answers a button."""
CODES = {Action.ACKNOWLEDGE: "a", Action.SNOOZE: "s", Action.FALSE_ALARM: "f"}
"""A button's data is a letter and the message's token: 64 bytes at most."""
_BLOCKED = frozenset({401, 404})


class TelegramSender:
    """One bot."""

    channel = Channel.TELEGRAM
    takes_pictures = True

    def __init__(self, settings: TelegramSettings, http: Http) -> None:
        self._settings = settings
        self._http = http

    async def send(self, address: str, message: Outgoing) -> Taken:
        """A still goes as a photo with a caption, else a text; buttons under either."""
        fields = {"chat_id": address, "parse_mode": "HTML"}
        if message.actions:
            fields["reply_markup"] = json.dumps({"inline_keyboard": _keyboard(message)})
        if message.picture is not None:
            files = {"photo": ("still.jpg", message.picture, "image/jpeg")}
            fields["caption"] = telegram_html(message, MAX_CAPTION)
            result = await self._call("sendPhoto", fields, files)
        else:
            fields["text"] = telegram_html(message, MAX_TEXT)
            fields["link_preview_options"] = json.dumps({"is_disabled": True})
            result = await self._call("sendMessage", fields)
        return Taken(f"{address}:{result.get('message_id', '')}")

    async def say(self, chat: str, text: str) -> None:
        """A plain sentence of our own to a chat."""
        await self._call("sendMessage", {"chat_id": chat, "text": text[:MAX_TEXT]})

    async def answer_press(self, query_id: str, text: str) -> None:
        """Answer a pressed button. Telegram takes this once, for a press of the last minutes that really was: it raises
        RefusedError for one that is forged, replayed or old."""
        await self._call("answerCallbackQuery", {"callback_query_id": query_id, "text": text[:MAX_ANSWER]})

    async def _call(self, method: str, fields: dict[str, str], files: dict[str, Any] | None = None) -> dict[str, Any]:
        url = f"{self._settings.url}/bot{self._settings.token.get_secret_value()}/{method}"
        answer = await self._http.post(url, form=fields, files=files)
        document = answer.document()
        if answer.good and document.get("ok") is True:
            result = document.get("result")
            return result if isinstance(result, dict) else {}
        code = document.get("error_code", answer.status)
        parameters = document.get("parameters")
        if isinstance(parameters, dict) and isinstance(parameters.get("retry_after"), int):
            wait = float(min(max(parameters["retry_after"], 0), MAX_RETRY_S))
            raise SendError("Telegram asks to wait", retry_after_s=wait)
        if answer.good or code in _BLOCKED:
            raise SendError("Telegram does not know this bot")
        dead = code == 403 or "chat not found" in str(document.get("description", ""))
        if dead:
            raise RefusedError("the chat is closed", address_dead=True)
        answer.check()
        raise SendError("Telegram did not take it")

    async def close(self) -> None:
        """The HTTP client is its owner's."""


def _keyboard(message: Outgoing) -> list[list[dict[str, str]]]:
    buttons = [
        {"text": words, "callback_data": f"{CODES[action]}:{message.token}"} for action, words in message.actions
    ]
    return [buttons]
