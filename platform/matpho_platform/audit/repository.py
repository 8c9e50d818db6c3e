"""Queries on the audit trail: entries are only ever added."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import rfc8785
from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, insert, or_, select, update

from matpho_platform.audit.schemas import AuditFilter
from matpho_platform.store.serials import lock_serial
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import (
    audit_checkpoints,
    audit_entries,
    audit_personal,
    audit_spooled,
    audit_subjects,
    counters,
)

SERIAL = "audit"
"""The counter of entries."""
KEEP_EVERY = 256
"""Checkpoints at these sizes stay; between them only the newest one does."""


async def newest_checkpoint(session: ReadSession) -> RowMapping | None:
    """The checkpoint over the whole trail."""
    return await session.first(select(audit_checkpoints).order_by(audit_checkpoints.c.size.desc()).limit(1))


async def checkpoint_of(session: ReadSession, size: int) -> RowMapping | None:
    """The checkpoint of one size, where it was kept."""
    return await session.first(select(audit_checkpoints).where(audit_checkpoints.c.size == size))


async def checkpoints(session: ReadSession) -> Sequence[RowMapping]:
    """Every checkpoint that is kept, by size."""
    return await session.all(select(audit_checkpoints).order_by(audit_checkpoints.c.size))


async def entries_from(session: ReadSession, first: int, limit: int) -> Sequence[RowMapping]:
    """Entries in order of their index."""
    query = select(audit_entries).where(audit_entries.c.log_index >= first).order_by(audit_entries.c.log_index)
    return await session.all(query.limit(limit))


_READ = (
    "SELECT log_index, at_ms, user_id, action, outcome, leaf, entry FROM audit_entries "
    "WHERE log_index >= ? ORDER BY log_index LIMIT ?"
)


async def raw_from(session: ReadSession, first: int, limit: int) -> Sequence[Sequence[Any]]:
    """Entries in order of their index, as bare rows in the order of the table's columns: for reading all of them."""
    return await session.at_once(_READ, (first, limit))


async def texts_from(session: ReadSession, first: int, limit: int) -> Sequence[bytes]:
    """Entries alone, as they were hashed, in order of their index."""
    rows = await session.at_once(
        "SELECT entry FROM audit_entries WHERE log_index >= ? ORDER BY log_index LIMIT ?", (first, limit)
    )
    return [row[0].encode() for row in rows]


async def leaves_from(session: ReadSession, first: int, limit: int) -> Sequence[bytes]:
    """Leaf hashes in order of their index."""
    rows = await session.at_once(
        "SELECT leaf FROM audit_entries WHERE log_index >= ? ORDER BY log_index LIMIT ?", (first, limit)
    )
    return [bytes(row[0]) for row in rows]


_MOVE_HEAD = "UPDATE audit_checkpoints SET size = ?, root = ?, at_ms = ?, key_id = ?, signature = ? WHERE size = ?"
_SIZE = "UPDATE counters SET value = ? WHERE name = ?"
_LOCK = {
    "sqlite": "SELECT value FROM counters WHERE name = ?",  # the transaction holds the write lock already
    "postgresql": "SELECT value FROM counters WHERE name = ? FOR UPDATE",
}


async def lock_size(session: WriteSession) -> int:
    """How many entries there are; until the commit nobody else gets past this line."""
    rows = await session.at_once(_LOCK[session.dialect], (SERIAL,))
    return int(rows[0][0]) if rows else await lock_serial(session, SERIAL)


async def counted(session: ReadSession) -> int:
    """How many entries the counter says there are."""
    return int(await session.scalar(select(counters.c.value).where(counters.c.name == SERIAL)) or 0)


async def grow(session: WriteSession, size: int, new: int) -> None:
    """Take the log from `size` entries to `new`: until the commit nobody else gets past this line.

    MovedError, at the latest at the commit, where it has another size: somebody else was first.
    """
    await session.expect(f"{_SIZE} AND value = ?", (new, SERIAL, size))


async def save_size(session: WriteSession, size: int) -> None:
    """Remember how many entries there are now."""
    await session.later(_SIZE, [(size, SERIAL)])


async def add(
    session: WriteSession,
    rows: Sequence[Mapping[str, Any]],
    heads: Sequence[Mapping[str, Any]],
    personal: Sequence[Mapping[str, Any]],
) -> None:
    """Entries, their personal values, and the checkpoints that cover them.

    The checkpoint before them goes, unless it is one to keep.
    """
    await session.insert_many(audit_entries, rows)
    if personal:
        await session.insert_many(audit_personal, personal)
    before = rows[0]["log_index"]
    if before % KEEP_EVERY:
        await session.later(_MOVE_HEAD, [(*_signed(heads[-1]), before)])
        heads = heads[:-1]
    if heads:
        await session.insert_many(audit_checkpoints, heads)


_signed = itemgetter("size", "root", "at_ms", "key_id", "signature")


async def subjects(session: ReadSession, ids: Collection[str]) -> dict[str, bytes]:
    """The wrapped secrets of subjects that are known."""
    wanted = sorted(ids)
    marks = ", ".join("?" * len(wanted))
    rows = await session.at_once(
        f"SELECT subject_id, wrapped FROM audit_subjects WHERE subject_id IN ({marks})",  # noqa: S608 - marks only
        wanted,
    )
    return {subject_id: bytes(wrapped) for subject_id, wrapped in rows}


async def add_subjects(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember new subjects."""
    await session.insert_many(audit_subjects, rows)


async def erase_subject(session: WriteSession, subject_id: str, zeros: bytes) -> int:
    """Overwrite and delete a subject's secret and what it sealed; returns how many values became unreadable."""
    chosen = audit_personal.c.subject_id == subject_id
    await session.run(
        update(audit_subjects).where(audit_subjects.c.subject_id == subject_id).values(wrapped=zeros, created_ms=0)
    )
    await session.run(delete(audit_subjects).where(audit_subjects.c.subject_id == subject_id))
    return await session.run(delete(audit_personal).where(chosen))


async def personal_from(session: ReadSession, index: int, name: str, limit: int) -> Sequence[RowMapping]:
    """Sealed values behind (`index`, `name`), with their subject's wrapped secret and their entry's text."""
    personal = audit_personal.c
    query = (
        select(audit_personal, audit_subjects.c.wrapped, audit_entries.c.entry)
        .join_from(audit_personal, audit_subjects, personal.subject_id == audit_subjects.c.subject_id)
        .join(audit_entries, personal.log_index == audit_entries.c.log_index)
        .where(or_(personal.log_index > index, and_(personal.log_index == index, personal.name > name)))
        .order_by(personal.log_index, personal.name)
    )
    return await session.all(query.limit(limit))


async def taken_over(session: ReadSession, spool_ids: Collection[str]) -> set[str]:
    """Which spooled entries the log has already."""
    query = select(audit_spooled.c.spool_id).where(audit_spooled.c.spool_id.in_(sorted(spool_ids)))
    return {row["spool_id"] for row in await session.all(query)}


async def take_over(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember spooled entries that the log takes in this commit."""
    await session.run(insert(audit_spooled), rows)


async def search(session: ReadSession, wanted: AuditFilter, subject_ids: Collection[str]) -> Sequence[RowMapping]:
    """A page of the entries that fit, newest first."""
    newest = select(audit_entries).where(_where(wanted, subject_ids)).order_by(audit_entries.c.log_index.desc())
    return await session.all(newest.limit(wanted.limit).offset(wanted.offset))


async def count(session: ReadSession, wanted: AuditFilter, subject_ids: Collection[str]) -> int:
    """How many entries fit."""
    query = select(func.count()).select_from(audit_entries).where(_where(wanted, subject_ids))
    return int(await session.scalar(query) or 0)


async def page_after(
    session: ReadSession, wanted: AuditFilter, subject_ids: Collection[str], after: int, size: int, limit: int
) -> Sequence[RowMapping]:
    """Entries that fit beyond index `after` within the first `size` entries, oldest first: for an export."""
    where = and_(_where(wanted, subject_ids), audit_entries.c.log_index > after, audit_entries.c.log_index < size)
    return await session.all(select(audit_entries).where(where).order_by(audit_entries.c.log_index).limit(limit))


def _where(wanted: AuditFilter, subject_ids: Collection[str]) -> ColumnElement[bool]:
    entries = audit_entries.c
    conditions: list[ColumnElement[bool]] = [and_(True)]
    equal = ((entries.user_id, wanted.own), (entries.user_id, wanted.actor), (entries.action, wanted.action))
    conditions += [column == value for column, value in (*equal, (entries.outcome, wanted.outcome)) if value]
    if wanted.from_ms is not None:
        conditions.append(entries.at_ms >= wanted.from_ms)
    if wanted.to_ms is not None:
        conditions.append(entries.at_ms < wanted.to_ms)
    for field, value in (("decision", wanted.decision), ("case_number", wanted.case_number)):
        if value:
            conditions.append(entries.entry.contains(_member(field, value), autoescape=True))
    if wanted.subject:
        about = select(audit_personal.c.log_index).where(audit_personal.c.subject_id.in_(sorted(subject_ids)))
        said = (entries.entry.contains(text, autoescape=True) for text in (wanted.subject, *wanted.commitments))
        conditions.append(or_(*said, entries.log_index.in_(about)))
    return and_(*conditions)


def _member(field: str, value: str) -> str:
    """A member of the canonical JSON of an entry, as its text holds it."""
    return rfc8785.dumps({field: value}).decode()[1:-1]
