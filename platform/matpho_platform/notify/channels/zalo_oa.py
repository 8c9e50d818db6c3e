"""A Zalo official account (API v3): a transaction message by template, or a plain one to people who wrote lately.

Its access token lives for an hour or a day, and the refresh token that gets the next one is good once: both new ones
are stored, sealed, in one transaction before either is used. On PostgreSQL the row stays locked meanwhile, so that two
processes never spend the same refresh token.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from matpho_contracts.times import now, unix_ms
from matpho_platform.notify.channels.http import Http
from matpho_platform.notify.errors import RefusedError, SendError
from matpho_platform.notify.formats import plain
from matpho_platform.notify.outgoing import Outgoing, Taken
from matpho_platform.notify.plain_text import cut
from matpho_platform.notify.rendering import said
from matpho_platform.notify.schemas import Action, Channel
from matpho_platform.notify.settings import ZaloOaSettings
from matpho_platform.store.engine import Store
from matpho_platform.store.sealing import Vault
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import notify_tokens

NAME = "zalo_oa"
MAX_HEADER, MAX_TEXT, MAX_ROWS, MAX_CELL, MAX_BUTTON = 100, 250, 5, 100, 35
MAX_PLAIN = 2000
EARLY_MS = 120_000
"""A token is replaced this long before it ends."""
_DEFAULT_LIFE_S = 3600
_TOKEN_ERRORS = frozenset({-216, -220, -124})
_LATER = frozenset({-32, -200, -210, -211})
"""Errors of limits and of the server, after which another try may serve."""


class ZaloTokens:
    """The account's access token, refreshed when it ends."""

    def __init__(self, settings: ZaloOaSettings, store: Store, vault: Vault, http: Http) -> None:
        self._settings = settings
        self._store = store
        self._vault = vault
        self._http = http
        self._turn = asyncio.Lock()

    async def access(self, *, not_this: str = "", at: datetime | None = None) -> str:
        """A token that is good now, and not the one that was refused; raises SendError."""
        at_ms = unix_ms(at or now())
        async with self._store.reading() as session:
            kept = await self._kept(session, at_ms)
        if kept.get("access") not in (None, not_this):
            return str(kept["access"])
        async with self._turn:
            if self._store.dialect == "sqlite":  # one process, and a writer must not wait for somebody's HTTP
                async with self._store.reading() as session:
                    kept = await self._kept(session, at_ms)
                if kept.get("access") not in (None, not_this):
                    return str(kept["access"])
                fresh = await self._refresh(kept)
                async with self._store.writing() as session:
                    await self._keep(session, fresh, at_ms)
                return str(fresh["access"])
            async with self._store.writing() as session:
                kept = await self._kept(session, at_ms, lock=True)
                if kept.get("access") in (None, not_this):
                    kept = await self._refresh(kept)
                    await self._keep(session, kept, at_ms)
                return str(kept["access"])

    async def _kept(self, session: ReadSession, at_ms: int, *, lock: bool = False) -> dict[str, Any]:
        """What is stored, unless the settings have a newer first token; without `access` where that has ended."""
        query = select(notify_tokens).where(notify_tokens.c.name == NAME)
        row = await session.first(query.with_for_update() if lock else query)
        first = self._settings.refresh_token.get_secret_value()
        seed = hashlib.sha256(first.encode()).hexdigest()
        kept = json.loads(self._vault.open(row["sealed"], NAME)) if row is not None else {}
        if kept.get("seed") != seed:
            return {"refresh": first, "seed": seed}
        if row is not None and row["expires_ms"] - EARLY_MS <= at_ms:
            kept.pop("access", None)
        return dict(kept)

    async def _refresh(self, kept: dict[str, Any]) -> dict[str, Any]:
        settings = self._settings
        form = {"app_id": settings.app_id, "grant_type": "refresh_token", "refresh_token": str(kept["refresh"])}
        headers = {"secret_key": settings.app_secret.get_secret_value()}
        answer = await self._http.post(f"{settings.oauth_url}/v4/oa/access_token", form=form, headers=headers)
        document = answer.document()
        access, refresh = document.get("access_token"), document.get("refresh_token")
        if not answer.good or not isinstance(access, str) or not isinstance(refresh, str):
            raise SendError("Zalo gives no token; renew the account's refresh token")
        life = str(document.get("expires_in", _DEFAULT_LIFE_S))
        life_s = int(life) if life.isdigit() else _DEFAULT_LIFE_S
        return {"access": access, "refresh": refresh, "seed": kept["seed"], "life_s": life_s}

    async def _keep(self, session: WriteSession, fresh: dict[str, Any], at_ms: int) -> None:
        values = {
            "name": NAME,
            "sealed": self._vault.seal(json.dumps(fresh).encode(), NAME),
            "expires_ms": at_ms + fresh["life_s"] * 1000,
            "changed_ms": at_ms,
        }
        await session.run(delete(notify_tokens).where(notify_tokens.c.name == NAME))
        await session.run(insert(notify_tokens).values(**values))


class ZaloOaSender:
    """One official account; an address is the id by which it knows a person."""

    channel = Channel.ZALO_OA
    takes_pictures = False

    def __init__(self, settings: ZaloOaSettings, tokens: ZaloTokens, http: Http) -> None:
        self._settings = settings
        self._tokens = tokens
        self._http = http

    async def send(self, address: str, message: Outgoing) -> Taken:
        """A transaction message whose buttons send the answer words back, or a plain one."""
        if self._settings.kind == "transaction":
            body: dict[str, Any] = {"attachment": {"type": "template", "payload": self._template(message)}}
        else:
            body = {"text": plain(message, MAX_PLAIN)}
        return Taken(await self._post(self._settings.kind, address, body))

    async def say(self, chat: str, text: str) -> None:
        """A plain sentence of our own, as an answer to somebody who has just written."""
        await self._post("cs", chat, {"text": text[:MAX_PLAIN]})

    async def _post(self, kind: str, address: str, body: dict[str, Any]) -> str:
        content = json.dumps({"recipient": {"user_id": address}, "message": body}, ensure_ascii=False).encode()
        token = await self._tokens.access()
        document = await self._once(kind, content, token)
        if document.get("error") in _TOKEN_ERRORS:
            document = await self._once(kind, content, await self._tokens.access(not_this=token))
        error = document.get("error")
        if error == 0:
            data = document.get("data")
            return str(data.get("message_id", ""))[:200] if isinstance(data, dict) else ""
        if error in _LATER or error in _TOKEN_ERRORS:
            raise SendError(f"Zalo says {error}")
        raise RefusedError(f"Zalo says {error}")

    async def _once(self, kind: str, content: bytes, token: str) -> dict[str, Any]:
        headers = {"access_token": token, "content-type": "application/json"}
        url = f"{self._settings.url}/v3.0/oa/message/{kind}"
        answer = await self._http.post(url, content=content, headers=headers)
        answer.check()
        document = answer.document()
        if not isinstance(document.get("error"), int):
            raise SendError("Zalo's answer cannot be read")
        return document

    def _template(self, message: Outgoing) -> dict[str, Any]:
        rows = [{"key": cut(line.label or "…", 25), "value": cut(line.value, MAX_CELL)} for line in message.lines]
        elements: list[dict[str, Any]] = [
            {"type": "header", "align": "left", "content": cut(message.title, MAX_HEADER)},
            {"type": "text", "align": "left", "content": cut(message.title, MAX_TEXT)},
        ]
        if rows:
            elements.append({"type": "table", "content": rows[:MAX_ROWS]})
        buttons = [_button(message, action, words) for action, words in message.actions]
        if message.link:
            link = {"type": "oa.open.url", "payload": {"url": message.link}}
            buttons.append({"title": cut(message.link_words, MAX_BUTTON), "image_icon": ""} | link)
        return {
            "template_type": self._settings.template_type,
            "language": message.language.upper(),
            "elements": elements,
            "buttons": buttons,
        }

    async def close(self) -> None:
        """The HTTP client is its owner's."""


def _button(message: Outgoing, action: Action, words: str) -> dict[str, Any]:
    answer = said("answers", action.value, message.language, token=message.token)
    return {"title": cut(words, MAX_BUTTON), "image_icon": "", "type": "oa.query.show", "payload": answer}
