"""Queries on notices and the messages that carry them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from matpho_platform.access.principal import Scope
from matpho_platform.notify.schemas import Channel, State
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import notice_contents, notice_messages, notices

_AT_ONCE = 500
ON_THE_WAY = (State.PROMISED.value, State.SENDING.value)


async def add_once(session: WriteSession, table: Any, key: str, values: Mapping[str, Any]) -> bool:
    """Insert a row unless its unique key is there; whether it was not. Waits for somebody who is inserting it now."""
    kind = sqlite.insert if session.dialect == "sqlite" else postgresql.insert
    added = kind(table).values(**values).on_conflict_do_nothing(index_elements=[key]).returning(table.c[key])
    return await session.first(added) is not None


async def by_key(session: ReadSession, key: str) -> RowMapping | None:
    """The notice that was promised under a key."""
    return await session.first(select(notices).where(notices.c.key == key))


async def one(session: ReadSession, notice_id: str) -> RowMapping | None:
    """A notice's row."""
    return await session.first(select(notices).where(notices.c.notice_id == notice_id))


async def messages_of(session: ReadSession, notice_ids: Collection[str]) -> Sequence[RowMapping]:
    """The messages of some notices, each with `notice_id`, in the order they were made."""
    joined = notice_contents.join(notice_messages, notice_messages.c.message_id == notice_contents.c.message_id)
    query = select(notice_contents.c.notice_id, notice_contents.c.round, notice_messages).select_from(joined)
    some = notice_contents.c.notice_id.in_(list(notice_ids)[:_AT_ONCE])
    return await session.all(query.where(some).order_by(notice_messages.c.created_ms, notice_messages.c.message_id))


async def contents_of(session: ReadSession, message_ids: Collection[str]) -> Sequence[RowMapping]:
    """The notices that some messages tell of, each with `message_id`, the gravest first, then in order of promise."""
    joined = notice_contents.join(notices, notices.c.notice_id == notice_contents.c.notice_id)
    query = select(notice_contents.c.message_id, notices).select_from(joined)
    some = notice_contents.c.message_id.in_(list(message_ids))
    order = (notices.c.severity.desc(), notices.c.promised_ms, notices.c.notice_id)
    return await session.all(query.where(some).order_by(*order))


def _missing(at_ms: int) -> ColumnElement[bool]:
    return and_(
        notices.c.reached_ms.is_(None),
        notices.c.ended_ms.is_(None),
        notices.c.alert.is_(True),
        notices.c.owed_ms <= at_ms,
    )


def _within(scope: Scope) -> ColumnElement[bool]:
    """Notices about areas that a scope covers; those about no place are for whoever sees everything."""
    return notices.c.notice_id.is_not(None) if scope.areas is None else notices.c.area.in_(scope.areas)


async def undelivered(
    session: ReadSession, scope: Scope, owed_before_ms: int, limit: int
) -> tuple[Sequence[RowMapping], int]:
    """Alerts that were owed before a moment and have reached nobody, the longest overdue first, and how many in all."""
    mine = and_(_missing(owed_before_ms), _within(scope))
    order = (notices.c.owed_ms, notices.c.notice_id)
    rows = await session.all(select(notices).where(mine).order_by(*order).limit(limit))
    return rows, int(await session.scalar(select(func.count()).select_from(notices).where(mine)) or 0)


async def any_missed(session: ReadSession, owed_before_ms: int) -> bool:
    """Whether there is one that nobody has noted yet."""
    query = select(notices.c.notice_id).where(_missing(owed_before_ms), notices.c.missed_ms.is_(None))
    return await session.first(query.limit(1)) is not None


async def newly_missed(session: WriteSession, owed_before_ms: int, limit: int) -> Sequence[RowMapping]:
    """Those of them that nobody has noted yet."""
    query = select(notices).where(_missing(owed_before_ms), notices.c.missed_ms.is_(None))
    return await session.all(query.order_by(notices.c.owed_ms).limit(limit).with_for_update(skip_locked=True))


async def change(session: WriteSession, notice_ids: Collection[str], values: Mapping[str, Any]) -> int:
    """Change some notices."""
    if not notice_ids:
        return 0
    return await session.run(update(notices).where(notices.c.notice_id.in_(list(notice_ids))).values(**values))


async def reached(session: WriteSession, notice_ids: Collection[str], column: str, at_ms: int) -> None:
    """Note for the first time that notices came so far (`reached_ms`, `delivered_ms`, `seen_ms`, `acted_ms`)."""
    if notice_ids:
        mine = notices.c.notice_id.in_(list(notice_ids))
        await session.run(update(notices).where(mine, notices.c[column].is_(None)).values({column: at_ms}))


async def withdraw(session: WriteSession, subject: str, at_ms: int) -> int:
    """Nobody needs the notices about a subject any more that have reached nobody yet; returns how many."""
    waiting = (notices.c.subject == subject, notices.c.reached_ms.is_(None), notices.c.ended_ms.is_(None))
    return await session.run(update(notices).where(*waiting).values(ended_ms=at_ms, due_ms=None))


async def last_about(session: ReadSession, user_id: str, subject: str) -> RowMapping | None:
    """The newest notice about a subject that somebody was told."""
    joined = notice_contents.join(notice_messages, notice_messages.c.message_id == notice_contents.c.message_id).join(
        notices, notices.c.notice_id == notice_contents.c.notice_id
    )
    mine = (notice_messages.c.user_id == user_id, notices.c.subject == subject)
    return await session.first(select(notices).select_from(joined).where(*mine).order_by(notices.c.promised_ms.desc()))


def _due(table: Any, at_ms: int, limit: int, *more: ColumnElement[bool]) -> Select[Any]:
    query = select(table).where(table.c.due_ms.is_not(None), table.c.due_ms <= at_ms, *more)
    return query.order_by(table.c.due_ms).limit(limit)


async def any_due(session: ReadSession, at_ms: int) -> bool:
    """Whether the router has work."""
    return await session.first(_due(notices, at_ms, 1)) is not None


async def take_due(session: WriteSession, at_ms: int, limit: int) -> Sequence[RowMapping]:
    """Notices that the router looks at now; nobody else has them until the commit."""
    return await session.all(_due(notices, at_ms, limit).with_for_update(skip_locked=True))


async def add_messages(
    session: WriteSession, messages: Sequence[Mapping[str, Any]], contents: Sequence[Mapping[str, Any]]
) -> None:
    """New messages, and what they or earlier ones tell of; what is there already stays as it is."""
    kind = sqlite.insert if session.dialect == "sqlite" else postgresql.insert
    if messages:
        await session.run(kind(notice_messages).on_conflict_do_nothing(), messages)
    if contents:
        await session.run(kind(notice_contents).on_conflict_do_nothing(), contents)


async def any_message_due(session: ReadSession, channel: Channel, at_ms: int) -> bool:
    """Whether a channel has work."""
    return await session.first(_due(notice_messages, at_ms, 1, notice_messages.c.channel == channel.value)) is not None


async def claim(
    session: WriteSession, channel: Channel, at_ms: int, limit: int, *, owner: str, until_ms: int
) -> Sequence[RowMapping]:
    """Take messages of a channel that are due, new or with a claim that lapsed; theirs until `until_ms`."""
    mine = notice_messages.c.channel == channel.value
    rows = await session.all(_due(notice_messages, at_ms, limit, mine).with_for_update(skip_locked=True))
    if rows:
        ids = [row["message_id"] for row in rows]
        taken = {"state": State.SENDING.value, "claim": owner, "due_ms": until_ms}
        await session.run(update(notice_messages).where(notice_messages.c.message_id.in_(ids)).values(**taken))
        first = and_(notice_messages.c.message_id.in_(ids), notice_messages.c.tried_ms.is_(None))
        await session.run(update(notice_messages).where(first).values(tried_ms=at_ms))
    return rows


async def settle(session: WriteSession, message_id: str, owner: str, values: Mapping[str, Any]) -> bool:
    """What became of a message that one has claimed; False when somebody else has it by now."""
    mine = (notice_messages.c.message_id == message_id, notice_messages.c.claim == owner)
    return bool(await session.run(update(notice_messages).where(*mine).values(claim=None, **values)))


async def change_message(session: WriteSession, message_id: str, values: Mapping[str, Any]) -> None:
    """Change a message."""
    await session.run(update(notice_messages).where(notice_messages.c.message_id == message_id).values(**values))


async def open_message(session: WriteSession, user_id: str, channel: str, at_ms: int) -> RowMapping | None:
    """A message to somebody that is not due yet, so that it can tell of more."""
    mine = (notice_messages.c.user_id == user_id, notice_messages.c.channel == channel)
    waits = (notice_messages.c.state == State.PROMISED.value, notice_messages.c.due_ms > at_ms)
    query = select(notice_messages).where(*mine, *waits, notice_messages.c.attempts == 0)
    return await session.first(query.order_by(notice_messages.c.due_ms).limit(1).with_for_update())


async def counted(session: ReadSession, user_ids: Collection[str], since_ms: int) -> dict[tuple[str, str], int]:
    """Messages to some people since a moment, by person and channel."""
    number = func.count().label("number")
    query = select(notice_messages.c.user_id, notice_messages.c.channel, number)
    mine = (notice_messages.c.user_id.in_(list(user_ids)), notice_messages.c.created_ms > since_ms)
    rows = await session.all(query.where(*mine).group_by(notice_messages.c.user_id, notice_messages.c.channel))
    return {(row["user_id"], row["channel"]): int(row["number"]) for row in rows}


async def told_of_cameras(
    session: ReadSession, user_ids: Collection[str], camera_ids: Collection[str], since_ms: int
) -> dict[tuple[str, str], int]:
    """When some people were last sent something about some cameras, since a moment (Unix ms), by person and camera."""
    joined = notice_contents.join(notice_messages, notice_messages.c.message_id == notice_contents.c.message_id).join(
        notices, notices.c.notice_id == notice_contents.c.notice_id
    )
    last = func.max(notice_messages.c.created_ms).label("last_ms")
    query = select(notice_messages.c.user_id, notices.c.camera_id, last).select_from(joined)
    mine = (notice_messages.c.user_id.in_(list(user_ids)), notices.c.camera_id.in_(list(camera_ids)))
    outward = (notice_messages.c.channel != Channel.IN_APP.value, notice_messages.c.state != State.FAILED.value)
    query = query.where(*mine, *outward, notice_messages.c.created_ms > since_ms)
    rows = await session.all(query.group_by(notice_messages.c.user_id, notices.c.camera_id))
    return {(row["user_id"], row["camera_id"]): int(row["last_ms"]) for row in rows}


async def message(session: ReadSession, token: str) -> RowMapping | None:
    """The message that a button or a link names."""
    return await session.first(select(notice_messages).where(notice_messages.c.token == token))


async def message_of_channel(session: ReadSession, channel: Channel, foreign_id: str) -> RowMapping | None:
    """The message that a channel knows by its own id."""
    mine = (notice_messages.c.channel == channel.value, notice_messages.c.foreign_id == foreign_id)
    return await session.first(select(notice_messages).where(*mine).order_by(notice_messages.c.created_ms.desc()))


async def inbox(session: ReadSession, user_id: str, scope: Scope, limit: int) -> Sequence[RowMapping]:
    """Somebody's messages in the console, newest first; those of areas that a scope covers, and of no area."""
    joined = notice_messages.join(notice_contents, notice_contents.c.message_id == notice_messages.c.message_id).join(
        notices, notices.c.notice_id == notice_contents.c.notice_id
    )
    mine = (notice_messages.c.user_id == user_id, notice_messages.c.channel == Channel.IN_APP.value)
    order = (notice_messages.c.created_ms.desc(), notice_messages.c.message_id.desc())
    placed = or_(_within(scope), notices.c.area == "")
    return await session.all(
        select(notice_messages).select_from(joined).where(*mine, placed).order_by(*order).limit(limit)
    )


async def newest(session: ReadSession, user_id: str) -> str:
    """The token of somebody's newest message in the console."""
    mine = (notice_messages.c.user_id == user_id, notice_messages.c.channel == Channel.IN_APP.value)
    order = (notice_messages.c.created_ms.desc(), notice_messages.c.message_id.desc())
    return str(await session.scalar(select(notice_messages.c.token).where(*mine).order_by(*order).limit(1)) or "")


async def figures(session: ReadSession, owed_before_ms: int) -> Mapping[str, int]:
    """How many messages wait, by channel, and how many alerts have reached nobody (`undelivered`)."""
    waits = or_(*(notice_messages.c.state == state for state in ON_THE_WAY))
    query = select(notice_messages.c.channel, func.count().label("number")).where(waits)
    rows = await session.all(query.group_by(notice_messages.c.channel))
    missing = await session.scalar(select(func.count()).select_from(notices).where(_missing(owed_before_ms)))
    return {row["channel"]: int(row["number"]) for row in rows} | {"undelivered": int(missing or 0)}


async def unreach(session: WriteSession, notice_ids: Collection[str], at_ms: int) -> None:
    """A message that was taken was not delivered after all: those of its notices that nothing else carried wait again.

    The router looks at them at once.
    """
    joined = notice_contents.join(notice_messages, notice_messages.c.message_id == notice_contents.c.message_id)
    carried = (State.SENT.value, State.DELIVERED.value, State.SEEN.value)
    outward = notice_messages.c.channel != Channel.IN_APP.value
    good = or_(and_(notice_messages.c.state.in_(carried), outward), notice_messages.c.delivered_ms.is_not(None))
    query = select(notice_contents.c.notice_id).select_from(joined).where(notice_contents.c.notice_id.in_(notice_ids))
    fine = {row["notice_id"] for row in await session.all(query.where(good))}
    await change(session, set(notice_ids) - fine, {"reached_ms": None, "due_ms": at_ms})
