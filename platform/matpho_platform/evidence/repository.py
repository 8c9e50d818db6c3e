"""Queries of evidence packages. Nothing here deletes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update

from matpho_platform.store.session import ReadSession, WriteSession
from matpho_platform.store.tables import evidence_packages as packages

BUILDING = "building"
READY = "ready"


async def find(session: ReadSession, package_id: str) -> RowMapping | None:
    """One package."""
    return await session.first(select(packages).where(packages.c.package_id == package_id))


async def by_key(session: ReadSession, key: str) -> RowMapping | None:
    """The package that a call with this key began."""
    return await session.first(select(packages).where(packages.c.request_key == key))


async def used_bytes(session: ReadSession) -> int:
    """Bytes of all packages."""
    return int(await session.scalar(select(func.coalesce(func.sum(packages.c.size), 0))) or 0)


async def add(session: WriteSession, row: Mapping[str, Any]) -> None:
    """Keep a package that is being built."""
    await session.run(insert(packages).values(**row))


async def finish(session: WriteSession, package_id: str, values: Mapping[str, Any]) -> bool:
    """Leave `building`; whether it was still that."""
    building = (packages.c.package_id == package_id) & (packages.c.status == BUILDING)
    return await session.run(update(packages).where(building).values(status=READY, **values)) == 1
