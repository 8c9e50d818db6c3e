"""The names of the registry for resolving what people say: areas and cameras, read whole and kept for a short while."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from matpho_contracts.text import fold
from matpho_platform.access.principal import Scope

if TYPE_CHECKING:
    from matpho_platform.center import Center

KEEP_SECONDS = 15.0
"""How old the names may be; a renamed camera is found under its new name after this."""
PAGE = 500
EVERYWHERE = Scope(None)
"""Names are read for the whole center: that a camera exists is no secret, what it sees is."""


@dataclass(frozen=True, slots=True)
class AreaName:
    """An area as names go; `center` is (latitude, longitude) in WGS 84 degrees."""

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    parent: str = ""
    center: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class CameraName:
    """A camera as names go."""

    id: str
    name: str
    area: str
    kind: str
    aliases: tuple[str, ...] = ()
    location: tuple[float, float] | None = None


@dataclass(frozen=True)
class City:
    """All names at one moment; equal content is the same object, so that indexes over it can be kept."""

    areas: tuple[AreaName, ...]
    cameras: tuple[CameraName, ...]

    @cached_property
    def _cameras(self) -> dict[str, CameraName]:
        return {camera.id: camera for camera in self.cameras}

    @cached_property
    def _areas(self) -> dict[str, AreaName]:
        return {area.code: area for area in self.areas}

    @cached_property
    def _folded(self) -> str:
        areas = [name for area in self.areas for name in (area.name, *area.aliases)]
        cameras = [name for camera in self.cameras for name in (camera.name, *camera.aliases)]
        return " | ".join(fold(name) for name in (*areas, *cameras))

    def camera(self, camera_id: str) -> CameraName | None:
        """The camera of an id."""
        return self._cameras.get(camera_id)

    def area(self, code: str) -> AreaName | None:
        """The area of a code."""
        return self._areas.get(code)

    def lineage(self, code: str) -> tuple[str, ...]:
        """The area and all above it, innermost first; an unknown code stands alone."""
        chain = [code]
        while (area := self._areas.get(chain[-1])) and area.parent and area.parent not in chain:
            chain.append(area.parent)
        return tuple(chain)

    def knows(self, folded: str) -> bool:
        """Whether a folded name occurs among the places: `tran phu` is a street here."""
        return folded in self._folded


class CityNames:
    """Reads the names from the center's registry."""

    def __init__(self, center: Center) -> None:
        self._center = center
        self._city: City | None = None
        self._read_at = 0.0
        self._lock = asyncio.Lock()

    async def read(self) -> City:
        """The names, at most KEEP_SECONDS old. Raises what the registry raises."""
        if self._city is not None and time.monotonic() - self._read_at < KEEP_SECONDS:
            return self._city
        async with self._lock:
            if self._city is None or time.monotonic() - self._read_at >= KEEP_SECONDS:
                fresh = City(await self._areas(), await self._cameras())
                if fresh != self._city:
                    self._city = fresh
                self._read_at = time.monotonic()
            return self._city

    async def _areas(self) -> tuple[AreaName, ...]:
        return tuple(
            AreaName(
                area.code,
                area.name,
                tuple(area.aliases),
                area.parent or "",
                (area.center.lat, area.center.lon) if area.center else None,
            )
            for area in await self._center.cameras.areas()
        )

    async def _cameras(self) -> tuple[CameraName, ...]:
        found: list[CameraName] = []
        while True:
            page = await self._center.cameras.list(EVERYWHERE, limit=PAGE, offset=len(found))
            found.extend(
                CameraName(
                    camera.id,
                    camera.name,
                    camera.area,
                    camera.kind,
                    location=(camera.location.lat, camera.location.lon) if camera.location else None,
                )
                for camera in page.cameras
            )
            if not page.cameras or len(found) >= page.total:
                return tuple(found)
