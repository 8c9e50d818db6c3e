"""Cameras for people and tools: lists, status, areas; every call carries the caller's scope."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import RowMapping

from matpho_contracts.edge_api import StatusReport
from matpho_contracts.geometry import Location
from matpho_contracts.times import from_unix_ms, now, unix_ms
from matpho_platform.access.principal import Scope
from matpho_platform.cameras import edge_repository, repository
from matpho_platform.cameras.areas import Area, AreaTree
from matpho_platform.cameras.errors import CameraNotFoundError
from matpho_platform.cameras.schemas import (
    Camera,
    CameraPage,
    CameraStatus,
    EdgeState,
    Kind,
    Naming,
    Namings,
    Owner,
    Status,
)
from matpho_platform.store.engine import Store

SILENT_AFTER = timedelta(seconds=90)
"""A box reports every few seconds; one that has been silent this long counts as offline, its cameras too."""
MAX_LIMIT = 500


class CameraService:
    """Reads the registry."""

    def __init__(self, store: Store, areas: AreaTree) -> None:
        self._store = store
        self._areas = areas

    async def list(
        self,
        scope: Scope,
        *,
        areas: Sequence[str] = (),
        status: Status | None = None,
        kind: Kind | None = None,
        owner: Owner | None = None,
        query: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> CameraPage:
        """Cameras by name; `areas` cover what is inside them, `query` is found with or without marks."""
        limit, offset = max(1, min(limit, MAX_LIMIT)), max(0, offset)
        silent = _silent_before_ms()
        where = repository.filters(
            self._areas.expand_scope(scope),
            silent,
            areas=self._areas.expand(areas),
            status=status,
            kind=kind,
            owner=owner,
            query=query,
        )
        async with self._store.reading() as session:
            rows, total = await repository.page(session, where, silent, limit, offset)
        return CameraPage(cameras=tuple(_camera(row) for row in rows), total=total, offset=offset, limit=limit)

    async def status(self, scope: Scope, camera_id: str) -> CameraStatus:
        """How a camera is now; raises CameraNotFoundError outside the scope too."""
        async with self._store.reading() as session:
            row = await repository.find(session, self._areas.expand_scope(scope), camera_id)
        if row is None:
            raise CameraNotFoundError(f"There is no camera {camera_id}.", action="Look it up in the list of cameras.")
        edge = edge_state(row["edge_id"], row["edge_name"] or "", row["edge_reported_ms"], row["edge_report"])
        status: Status = row["status"] if edge.online else "offline"
        return CameraStatus(
            camera=_camera({**row, "status": status}),
            status=status,
            since=from_unix_ms(row["since_ms"] if edge.online else row["reported_ms"]),
            fps=row["fps"] if edge.online else 0.0,
            last_frame_at=from_unix_ms(row["last_frame_ms"]) if row["last_frame_ms"] is not None else None,
            brightness=row["brightness"],
            sharpness=row["sharpness"],
            reason=row["reason"] if edge.online else "the box does not report",
            reported_at=from_unix_ms(row["reported_ms"]),
            edge=edge,
        )

    async def names(self, known: Namings | None = None) -> Namings:
        """How every camera is called; `known` itself when no name has changed since it was read (one row is asked)."""
        async with self._store.reading() as session:
            stamp = await repository.names_stamp(session)
            if known is not None and known.stamp == stamp:
                return known
            rows = await repository.all_names(session)
        return Namings(stamp, await asyncio.to_thread(lambda: tuple(map(_naming, rows))))

    async def areas(self) -> Sequence[Area]:
        """Every area of the center's settings."""
        return self._areas.all()

    def lineage(self, area: str) -> tuple[str, ...]:
        """An area and all above it, as a policy resource wants it."""
        return self._areas.lineage(area)

    def covers(self, scope: Scope, area: str) -> bool:
        """Whether a scope, with everything inside its areas, covers an area."""
        return self._areas.expand_scope(scope).covers(area)

    async def edges(self) -> Sequence[EdgeState]:
        """Every box, for administrators."""
        async with self._store.reading() as session:
            rows = await edge_repository.all_edges(session)
        return tuple(edge_state(row["edge_id"], row["name"], row["reported_ms"], row["report"]) for row in rows)


def _silent_before_ms() -> int:
    return unix_ms(now() - SILENT_AFTER)


def edge_state(edge_id: str, name: str, reported_ms: int | None, report: str | None) -> EdgeState:
    """A box's state from its columns."""
    if reported_ms is None or report is None:
        return EdgeState(edge_id=edge_id, name=name, online=False)
    said = StatusReport.model_validate_json(report)
    return EdgeState(
        edge_id=edge_id,
        name=name,
        online=reported_ms >= _silent_before_ms(),
        reported_at=from_unix_ms(reported_ms),
        outbox_waiting=said.outbox_waiting,
        recorder_bytes=said.recorder_bytes,
        disk_free_bytes=said.disk_free_bytes,
        software=said.software,
    )


def _naming(row: RowMapping) -> Naming:
    return Naming(
        id=row["camera_id"],
        name=row["name"],
        area=row["area"],
        kind=row["kind"],
        aliases=tuple(json.loads(row["aliases"])) if row["aliases"] != "[]" else (),
        location=(row["lat"], row["lon"]) if row["lat"] is not None and row["lon"] is not None else None,
        presets=tuple(json.loads(row["presets"])) if row["presets"] != "[]" else (),
    )


def _camera(row: RowMapping | dict[str, object]) -> Camera:
    lat, lon = row["lat"], row["lon"]
    return Camera.model_validate(
        {
            "id": row["camera_id"],
            "name": row["name"],
            "area": row["area"],
            "kind": row["kind"],
            "owner": row["owner"],
            "status": row["status"],
            "edge_id": row["edge_id"],
            "location": Location.model_validate({"lat": lat, "lon": lon}) if lat is not None else None,
            "aliases": tuple(json.loads(str(row["aliases"]))),
            "presets": tuple(json.loads(str(row["presets"]))),
            "covers": tuple(json.loads(str(row["covers"]))),
        }
    )
