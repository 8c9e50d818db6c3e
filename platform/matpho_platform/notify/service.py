"""The port: promise a notice within one's own transaction, ask how far it has come, note what people did about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.ids import new_event_id
from matpho_contracts.times import now as present
from matpho_contracts.times import unix_ms
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.notify import reading, repository
from matpho_platform.notify.errors import NoticeNotFoundError
from matpho_platform.notify.schemas import (
    DEFAULT_LIFE,
    MAX_FACT,
    UNDELIVERED_AFTER,
    Board,
    Notice,
    Person,
    Post,
    Progress,
    Receipt,
    ReceiptKind,
    Shown,
    State,
)
from matpho_platform.store.engine import Store
from matpho_platform.store.session import WriteSession
from matpho_platform.store.tables import notices

MAX_BOARD = 200
_LIFE_MS = int(DEFAULT_LIFE.total_seconds() * 1000)


class Notifier:
    """Promises notices and knows what became of them; the workers of this domain deliver."""

    def __init__(self, store: Store, areas: AreaTree) -> None:
        self._store = store
        self._areas = areas
        self._wake = asyncio.Event()

    async def promise(self, session: WriteSession, notice: Notice, *, at: datetime | None = None) -> str:
        """Write a notice down in the caller's transaction; it is delivered once that commits. Returns its id.

        A key that was promised before, here or in another process: nothing new, the id of then.
        """
        notice_id, at_ms = new_event_id(), unix_ms(at or present())
        notice = self._placed(notice)
        if await repository.add_once(session, notices, "key", _row(notice, notice_id, at_ms)):
            return notice_id
        earlier = await repository.by_key(session, notice.key)
        if earlier is None:
            raise NoticeNotFoundError("The notice was promised by somebody who took it back.", action="Try again.")
        return str(earlier["notice_id"])

    def _placed(self, notice: Notice) -> Notice:
        """A notice with the name of its area, where it brings none of its own."""
        area = self._areas.find(notice.facts.area) if notice.facts.area and not notice.facts.place else None
        if area is None:
            return notice
        return notice.model_copy(update={"facts": notice.facts.model_copy(update={"place": area.name[:MAX_FACT]})})

    def wake(self) -> None:
        """There is new work: after a commit, so that the worker need not find out by itself (half a second)."""
        self._wake.set()

    @property
    def woken(self) -> asyncio.Event:
        """What the router waits for."""
        return self._wake

    async def state(self, notice_id: str, *, now: datetime | None = None) -> Progress:
        """How far a notice has come, computed from what is stored; raises NoticeNotFoundError."""
        async with self._store.reading() as session:
            row = await repository.one(session, notice_id)
            if row is None:
                raise NoticeNotFoundError("There is no such notice.")
            messages = await repository.messages_of(session, [notice_id])
        return reading.progress(row, messages, unix_ms(now or present()))

    async def board(self, scope: Scope, *, now: datetime | None = None, limit: int = 50) -> Board:
        """Alerts of a scope that have reached nobody, the longest overdue first: the clock alone puts them here."""
        at = now or present()
        async with self._store.reading() as session:
            rows, total = await repository.undelivered(
                session,
                self._areas.expand_scope(scope),
                unix_ms(at - UNDELIVERED_AFTER),
                max(1, min(limit, MAX_BOARD)),
            )
            messages = await repository.messages_of(session, [row["notice_id"] for row in rows])
        return Board(undelivered=_listed(rows, messages, unix_ms(at)), total=total)

    async def receipt(self, receipt: Receipt, *, at: datetime | None = None) -> bool:
        """A channel's word on a message that it took; False for one that is not ours. Repeats change nothing."""
        at_ms = unix_ms(at or present())
        async with self._store.writing() as session:
            row = await repository.message_of_channel(session, receipt.channel, receipt.foreign_id)
            if row is None:
                return False
            await self.came(session, row, receipt.kind, at_ms)
        return True

    async def came(self, session: WriteSession, row: RowMapping, kind: ReceiptKind, at_ms: int) -> None:
        """Note in a transaction how far a message came; a `failed` one goes to the person's next channel."""
        contents = await repository.contents_of(session, [row["message_id"]])
        ids = [notice["notice_id"] for notice in contents]
        if kind is ReceiptKind.FAILED:
            if row["delivered_ms"] is None and row["seen_ms"] is None:
                failed = {"state": State.FAILED.value, "error": "receipt", "due_ms": None}
                await repository.change_message(session, row["message_id"], failed)
                await repository.unreach(session, ids, at_ms)
            return
        column = "seen_ms" if kind is ReceiptKind.SEEN else "delivered_ms"
        state = State.SEEN if kind is ReceiptKind.SEEN or row["seen_ms"] is not None else State.DELIVERED
        values: dict[str, Any] = {"state": state.value, "due_ms": None}
        if row[column] is None:
            values[column] = at_ms
        await repository.change_message(session, row["message_id"], values)
        for reached in ("reached_ms", column):
            await repository.reached(session, ids, reached, at_ms)

    async def acted(self, session: WriteSession, notice_ids: Sequence[str], user_id: str, at_ms: int) -> None:
        """Somebody did something about notices."""
        for column in ("reached_ms", "seen_ms", "acted_ms"):
            await repository.reached(session, notice_ids, column, at_ms)
        await repository.change(session, notice_ids, {"acted_by": user_id, "due_ms": None})

    async def console(
        self, user_id: str, scope: Scope, *, at: datetime | None = None, limit: int = 50
    ) -> tuple[Shown, ...]:
        """Somebody's notices for the console, newest first, of areas that their scope covers now; what is shown here
        has arrived."""
        at_ms = unix_ms(at or present())
        async with self._store.reading() as session:
            rows = await repository.inbox(
                session, user_id, self._areas.expand_scope(scope), max(1, min(limit, MAX_BOARD))
            )
            contents = await repository.contents_of(session, [row["message_id"] for row in rows])
        fresh = [row for row in rows if row["delivered_ms"] is None]
        if fresh:
            async with self._store.writing() as session:
                for row in fresh:
                    await self.came(session, row, ReceiptKind.DELIVERED, at_ms)
        return tuple(reading.shown(row, contents) for row in rows)

    async def newest(self, user_id: str) -> str:
        """The token of somebody's newest notice in the console; empty where there is none."""
        async with self._store.reading() as session:
            return await repository.newest(session, user_id)

    async def opened(self, user_id: str, token: str, *, at: datetime | None = None) -> bool:
        """Somebody has opened a message of theirs; False for any other."""
        async with self._store.writing() as session:
            row = await repository.message(session, token)
            if row is None or row["user_id"] != user_id:
                return False
            await self.came(session, row, ReceiptKind.SEEN, unix_ms(at or present()))
        return True

    async def withdraw(self, session: WriteSession, subject: str, *, at: datetime | None = None) -> int:
        """Nobody needs the notices about a subject (an incident) that have reached nobody yet; returns how many."""
        return await repository.withdraw(session, subject, unix_ms(at or present()))

    async def figures(self, *, now: datetime | None = None) -> dict[str, int]:
        """Messages that wait, by channel, and alerts that have reached nobody (`undelivered`)."""
        async with self._store.reading() as session:
            return dict(await repository.figures(session, unix_ms((now or present()) - UNDELIVERED_AFTER)))


def _listed(rows: Sequence[RowMapping], messages: Sequence[RowMapping], at_ms: int) -> tuple[Progress, ...]:
    return tuple(
        reading.progress(row, [one for one in messages if one["notice_id"] == row["notice_id"]], at_ms) for row in rows
    )


def _row(notice: Notice, notice_id: str, at_ms: int) -> dict[str, Any]:
    to = notice.to
    return {
        "notice_id": notice_id,
        "key": notice.key,
        "user_id": to.user_id if isinstance(to, Person) else "",
        "role": to.role.value if isinstance(to, Post) else "",
        "post_area": (to.area or notice.facts.area or "") if isinstance(to, Post) else "",
        "template": notice.template.value,
        "severity": notice.severity.rank,
        "alert": notice.alert,
        "subject": notice.about,
        "camera_id": notice.facts.camera_id or "",
        "area": notice.facts.area or "",
        "document": notice.model_dump_json(),
        "promised_ms": at_ms,
        "owed_ms": at_ms,
        "expires_ms": unix_ms(notice.expires_at) if notice.expires_at else at_ms + _LIFE_MS,
        "due_ms": at_ms,
        "round": 0,
    }
