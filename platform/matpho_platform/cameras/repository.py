"""Queries on cameras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, case, false, func, insert, or_, select, update

from matpho_contracts.text import fold
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.schemas import Kind, Owner, Status
from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import cameras, counters, edges

MAX_QUERY_WORDS = 8
MAX_NAMES = 200_000
"""Cameras of one center whose names are read; far above the 40,000 that it is built for."""
NAMES_SERIAL = "camera_names"
"""Counts every change of a camera's name, place, kind or presets; health does not touch it."""


def within(scope: Scope) -> ColumnElement[bool]:
    """The scope as a condition; `scope` is expanded already. The only home of this condition for cameras."""
    if scope.areas is None:
        return and_(True)
    return cameras.c.area.in_(scope.areas) if scope.areas else false()


def effective_status(silent_before_ms: int) -> ColumnElement[str]:
    """What the camera reported, but `offline` where its box has not reported since."""
    silent = or_(edges.c.reported_ms.is_(None), edges.c.reported_ms < silent_before_ms)
    return case((silent, "offline"), else_=cameras.c.status)


async def owners(session: ReadSession) -> dict[str, str]:
    """The box of each camera."""
    rows = await session.all(select(cameras.c.camera_id, cameras.c.edge_id))
    return {row["camera_id"]: row["edge_id"] for row in rows}


async def names(session: ReadSession, camera_ids: Iterable[str]) -> dict[str, str]:
    """The names of some cameras."""
    query = select(cameras.c.camera_id, cameras.c.name).where(cameras.c.camera_id.in_(set(camera_ids)))
    return {row["camera_id"]: row["name"] for row in await session.all(query)}


async def names_stamp(session: ReadSession) -> int:
    """Changes whenever the name columns of any camera do; one row to read."""
    return int(await session.scalar(select(counters.c.value).where(counters.c.name == NAMES_SERIAL)) or 0)


async def all_names(session: ReadSession) -> Sequence[RowMapping]:
    """The name columns of every camera, by id."""
    columns = ("camera_id", "name", "aliases", "area", "kind", "lat", "lon", "presets")
    query = select(*(cameras.c[name] for name in columns)).order_by(cameras.c.camera_id)
    return await session.all(query.limit(MAX_NAMES))


def filters(
    scope: Scope,
    silent_before_ms: int,
    *,
    areas: Sequence[str],
    status: Status | None,
    kind: Kind | None,
    owner: Owner | None,
    query: str | None,
) -> ColumnElement[bool]:
    """All conditions of a list; `query` must have every word, without marks, in name, id or area."""
    conditions = [within(scope)]
    if areas:
        conditions.append(cameras.c.area.in_(areas))
    if status:
        conditions.append(effective_status(silent_before_ms) == status)
    if kind:
        conditions.append(cameras.c.kind == kind)
    if owner:
        conditions.append(cameras.c.owner == owner)
    for word in fold(query or "").split()[:MAX_QUERY_WORDS]:
        conditions.append(cameras.c.folded.contains(word, autoescape=True))
    return and_(*conditions)


_joined = cameras.outerjoin(edges, cameras.c.edge_id == edges.c.edge_id)


async def page(
    session: ReadSession, where: ColumnElement[bool], silent_before_ms: int, limit: int, offset: int
) -> tuple[Sequence[RowMapping], int]:
    """Cameras by name, and how many fit."""
    columns = [column for column in cameras.c if column.name != "status"]
    query = select(*columns, effective_status(silent_before_ms).label("status")).select_from(_joined).where(where)
    rows = await session.all(query.order_by(cameras.c.folded, cameras.c.camera_id).limit(limit).offset(offset))
    total = await session.scalar(select(func.count()).select_from(_joined).where(where))
    return rows, int(total or 0)


async def find(session: ReadSession, scope: Scope, camera_id: str) -> RowMapping | None:
    """A camera within the scope, with its box's columns prefixed `edge_`."""
    query = (
        select(
            cameras,
            edges.c.name.label("edge_name"),
            edges.c.reported_ms.label("edge_reported_ms"),
            edges.c.report.label("edge_report"),
        )
        .select_from(_joined)
        .where(cameras.c.camera_id == camera_id, within(scope))
    )
    return await session.first(query)


async def save(session: WriteSession, known: bool, values: Mapping[str, Any]) -> None:
    """Add or change a camera."""
    if known:
        await session.run(update(cameras).where(cameras.c.camera_id == values["camera_id"]).values(**values))
    else:
        await session.run(insert(cameras).values(**values))


async def of_edge(session: ReadSession, camera_ids: Iterable[str]) -> Mapping[str, RowMapping]:
    """The rows of some cameras by id."""
    rows = await session.all(select(cameras).where(cameras.c.camera_id.in_(set(camera_ids))))
    return {row["camera_id"]: row for row in rows}
