"""Queries on citizens' reports; their history is only ever added to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, false, func, insert, select, update

from matpho_platform.access.principal import Scope
from matpho_platform.feedback.schemas import OPEN, Status
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import feedback, feedback_history

MAX_HISTORY = 200
MAX_OWN = 50


def within(scope: Scope) -> ColumnElement[bool]:
    """The scope as a condition; `scope` is expanded already."""
    if scope.areas is None:
        return and_(True)
    return feedback.c.area.in_(scope.areas) if scope.areas else false()


async def add(session: WriteSession, values: Mapping[str, Any]) -> None:
    """A new report; raises DuplicateError for a code or key that is taken."""
    await session.run(insert(feedback).values(**values))


async def add_step(session: WriteSession, values: Mapping[str, Any]) -> None:
    """One more step of a report's history."""
    await session.run(insert(feedback_history).values(**values))


async def change(session: WriteSession, code: str, values: Mapping[str, Any]) -> None:
    """Change where a report stands."""
    await session.run(update(feedback).where(feedback.c.code == code).values(**values))


async def by_codes(session: ReadSession, codes: Sequence[str]) -> RowMapping | None:
    """The report of the first of these codes that there is."""
    rows = {row["code"]: row for row in await session.all(select(feedback).where(feedback.c.code.in_(codes)))}
    return next((rows[code] for code in codes if code in rows), None)


async def by_keys(session: ReadSession, keys: Sequence[str]) -> RowMapping | None:
    """A report that was filed under one of these keys, the newest."""
    query = select(feedback).where(feedback.c.key.in_(keys)).order_by(feedback.c.created_ms.desc())
    return await session.first(query.limit(1))


async def step_by_key(session: ReadSession, key: str) -> RowMapping | None:
    """The step that was made under a key."""
    return await session.first(select(feedback_history).where(feedback_history.c.key == key))


async def history(session: ReadSession, codes: Sequence[str]) -> Sequence[RowMapping]:
    """The steps of what these codes name, oldest first."""
    query = select(feedback_history).where(feedback_history.c.code.in_(codes))
    return await session.all(query.order_by(feedback_history.c.entry_id).limit(MAX_HISTORY))


async def owned(session: ReadSession, owner: str) -> Sequence[RowMapping]:
    """The reports of an account, newest first."""
    query = select(feedback).where(feedback.c.owner == owner).order_by(feedback.c.created_ms.desc(), feedback.c.code)
    return await session.all(query.limit(MAX_OWN))


async def received(session: ReadSession, where: ColumnElement[bool], start_ms: int, end_ms: int) -> dict[str, int]:
    """How many reports came within a period, by category."""
    came = feedback.c.created_ms.between(start_ms, end_ms - 1)
    query = select(feedback.c.category, func.count().label("number")).where(where, came).group_by(feedback.c.category)
    rows = await session.all(query.order_by(feedback.c.category))
    return {row["category"]: int(row["number"]) for row in rows}


async def resolved(session: ReadSession, where: ColumnElement[bool], start_ms: int, end_ms: int) -> int:
    """How many reports became resolved within a period."""
    steps = feedback_history.join(feedback, feedback.c.code == feedback_history.c.code)
    then = and_(
        feedback_history.c.status == Status.RESOLVED.value, feedback_history.c.at_ms.between(start_ms, end_ms - 1)
    )
    query = select(func.count(func.distinct(feedback_history.c.code))).select_from(steps).where(where, then)
    return int(await session.scalar(query) or 0)


async def open_at(session: ReadSession, where: ColumnElement[bool], at_ms: int) -> int:
    """How many reports that came before a moment were open then: their last step before it says so."""
    before = feedback_history.c.at_ms < at_ms
    last = select(func.max(feedback_history.c.entry_id)).where(before).group_by(feedback_history.c.code)
    steps = feedback_history.join(feedback, feedback.c.code == feedback_history.c.code)
    still = feedback_history.c.status.in_([status.value for status in OPEN])
    query = select(func.count()).select_from(steps).where(where, feedback_history.c.entry_id.in_(last), still)
    return int(await session.scalar(query) or 0)
