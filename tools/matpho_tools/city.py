"""The names for resolving what people say: areas, cameras, units, people; read whole, kept for a short while."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from matpho_contracts.text import fold
from matpho_platform.store.code_forms import code_beginnings

if TYPE_CHECKING:
    from matpho_platform.cameras.schemas import Namings
    from matpho_platform.center import Center

KEEP_SECONDS = 15.0
"""How old the names may be; a renamed camera is found under its new name after this."""


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
    presets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnitName:
    """A unit that can be sent somewhere, as names go."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    area: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PersonName:
    """An account's holder as names go: for "what did Colonel Vinh do", never for looking somebody up in pictures."""

    id: str
    name: str
    role: str


@dataclass(frozen=True)
class City:
    """All names at one moment; equal content is the same object, so that indexes over it can be kept."""

    areas: tuple[AreaName, ...]
    cameras: tuple[CameraName, ...]
    units: tuple[UnitName, ...] = ()
    people: tuple[PersonName, ...] = ()
    codes: tuple[tuple[str, str], ...] = ()
    """How the codes of one kind of thing begin here: `("sv", "incident")`."""

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
        return fold(" | ".join((*areas, *cameras)))

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
    """Reads the names from the center; cameras, of which there are many, only when one of their names has changed.

    They are read for the whole center: that a camera exists is no secret, what it sees is.
    """

    def __init__(self, center: Center) -> None:
        self._center = center
        self._city: City | None = None
        self._namings: Namings | None = None
        self._cameras: tuple[CameraName, ...] = ()
        self._read_at = 0.0
        self._lock = asyncio.Lock()

    async def read(self) -> City:
        """The names, at most KEEP_SECONDS old. Raises what the registry raises."""
        if self._city is not None and time.monotonic() - self._read_at < KEEP_SECONDS:
            return self._city
        async with self._lock:
            if self._city is None or time.monotonic() - self._read_at >= KEEP_SECONDS:
                fresh = await self._fresh()
                if fresh != self._city:
                    await asyncio.to_thread(fresh.knows, "")  # folding 40,000 names takes a moment
                    self._city = fresh
                self._read_at = time.monotonic()
            return self._city

    async def _fresh(self) -> City:
        async with self._center.store.reading() as session:
            codes = await code_beginnings(session)
        return City(await self._areas(), await self._read_cameras(), await self._units(), await self._people(), codes)

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

    async def _read_cameras(self) -> tuple[CameraName, ...]:
        """The same tuple as before while no camera's name has changed, so that comparing costs nothing."""
        namings = await self._center.cameras.names(self._namings)
        if namings is not self._namings:
            self._cameras = await asyncio.to_thread(_camera_names, namings)
            self._namings = namings
        return self._cameras

    async def _units(self) -> tuple[UnitName, ...]:
        return tuple(
            UnitName(unit.id, unit.name, unit.aliases, unit.area, unit.kind.value)
            for unit in await self._center.units.all()
        )

    async def _people(self) -> tuple[PersonName, ...]:
        return tuple(
            PersonName(person.user_id, person.name, person.role.value) for person in await self._center.accounts.all()
        )


def _camera_names(namings: Namings) -> tuple[CameraName, ...]:
    return tuple(
        CameraName(one.id, one.name, one.area, one.kind, one.aliases, one.location, one.presets)
        for one in namings.cameras
    )
