"""How the registry learns: a box's status report brings its cameras and their health in."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import structlog

from matpho_contracts.edge_api import CameraHealth, CameraReport, StatusReport
from matpho_contracts.text import fold
from matpho_contracts.times import now, unix_ms
from matpho_platform.cameras import edge_repository, repository
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.cameras.edges import EdgeKey
from matpho_platform.cameras.repository import NAMES_SERIAL
from matpho_platform.store.engine import Store
from matpho_platform.store.serials import lock_serial, save_serial

OWNERS_MAX_AGE_S = 10.0

_log = structlog.get_logger(__name__)


class CameraOwners:
    """Which box each camera hangs on, answered from memory; intake asks it for every batch."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._owners: Mapping[str, str] = {}
        self._loaded_at = -OWNERS_MAX_AGE_S

    async def load(self) -> None:
        """Read the owners anew."""
        async with self._store.reading() as session:
            self._owners = await repository.owners(session)
        self._loaded_at = time.monotonic()

    async def current(self) -> Mapping[str, str]:
        """Camera id to box id, at most OWNERS_MAX_AGE_S old."""
        if time.monotonic() - self._loaded_at > OWNERS_MAX_AGE_S:
            await self.load()
        return self._owners


class CameraRegistry:
    """Takes status reports of boxes whose request is verified."""

    def __init__(self, store: Store, areas: AreaTree, owners: CameraOwners) -> None:
        self._store = store
        self._areas = areas
        self._owners = owners

    async def report(self, report: StatusReport, key: EdgeKey) -> None:
        """Keep a report; a camera of another box or outside the box's areas is left out and logged."""
        allowed = set(self._areas.expand(key.areas)) if key.areas else None
        at_ms = unix_ms(now())
        health = {item.id: item for item in report.health}
        async with self._store.writing() as session:
            heard = {"reported_ms": at_ms, "report": report.model_dump_json(exclude={"cameras", "health"})}
            await edge_repository.change_edge(session, key.edge_id, heard)
            known = await repository.of_edge(session, [camera.id for camera in report.cameras])
            new = renamed = False
            for camera in report.cameras:
                row = known.get(camera.id)
                if (row is not None and row["edge_id"] != key.edge_id) or (allowed and camera.area not in allowed):
                    _log.warning("camera_refused", camera=camera.id, edge=key.edge_id)
                    continue
                identity = self._identity(camera, key.edge_id)
                renamed = renamed or row is None or any(row[name] != value for name, value in identity.items())
                await repository.save(
                    session, row is not None, identity | _health(health.get(camera.id), row is None, at_ms)
                )
                new = new or row is None
            if renamed:
                await save_serial(session, NAMES_SERIAL, await lock_serial(session, NAMES_SERIAL) + 1)
        if new:
            await self._owners.load()

    def _identity(self, camera: CameraReport, edge_id: str) -> dict[str, Any]:
        area = self._areas.find(camera.area)
        place = [area.name, *area.aliases] if area else []
        return {
            "camera_id": camera.id,
            "edge_id": edge_id,
            "name": camera.name,
            "area": camera.area,
            "kind": camera.kind,
            "owner": camera.owner,
            "lat": camera.location.lat if camera.location else None,
            "lon": camera.location.lon if camera.location else None,
            "aliases": json.dumps(camera.aliases, ensure_ascii=False),
            "presets": json.dumps(camera.presets, ensure_ascii=False),
            "covers": json.dumps(camera.covers),
            "folded": fold(" ".join([camera.name, *camera.aliases, camera.id, camera.area, *place])),
        }


def _health(health: CameraHealth | None, new: bool, at_ms: int) -> dict[str, Any]:
    """Health columns; a camera that is new and says nothing of itself counts as offline."""
    if health is None:
        if not new:
            return {"reported_ms": at_ms}
        health = CameraHealth(id="unknown", status="offline", since=now(), reason="no report yet")
    return {
        "status": health.status,
        "since_ms": unix_ms(health.since),
        "fps": health.fps,
        "last_frame_ms": unix_ms(health.last_frame_at) if health.last_frame_at else None,
        "brightness": health.brightness,
        "sharpness": health.sharpness,
        "reason": health.reason,
        "reported_ms": at_ms,
    }
