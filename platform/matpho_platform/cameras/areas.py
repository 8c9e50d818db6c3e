"""Areas: provinces and the communes in them. A province's code stands for everything inside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from matpho_contracts.errors import ConfigurationError
from matpho_contracts.geometry import Location
from matpho_contracts.ids import ShortId
from matpho_contracts.settings import SettingsBase
from matpho_platform.access.principal import Scope


class Area(SettingsBase):
    """One area as the settings name it."""

    code: ShortId
    name: str
    level: Literal["province", "commune", "ward", "site"] = "commune"
    parent: ShortId | None = None
    aliases: tuple[str, ...] = ()
    center: Location | None = None


class AreaTree:
    """The areas of a center; pure look-ups."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = {area.code: area for area in areas}
        self._below: dict[str, set[str]] = {code: {code} for code in self._areas}
        for code in self._areas:
            for above in self.lineage(code)[1:]:
                self._below[above].add(code)

    def all(self) -> Sequence[Area]:
        """Every area, in the order of the settings."""
        return tuple(self._areas.values())

    def find(self, code: str) -> Area | None:
        """The area of a code, or None."""
        return self._areas.get(code)

    def lineage(self, code: str) -> tuple[str, ...]:
        """The area and all above it, innermost first; an unknown code stands alone.

        Raises ConfigurationError for a parent that is not there or a circle of parents.
        """
        chain = [code]
        area = self._areas.get(code)
        while area is not None and area.parent is not None:
            if area.parent in chain or area.parent not in self._areas:
                raise ConfigurationError(f"The area {area.code} has the parent {area.parent}, which cannot be.")
            chain.append(area.parent)
            area = self._areas[area.parent]
        return tuple(chain)

    def expand(self, codes: Iterable[str]) -> tuple[str, ...]:
        """The codes and everything inside them, sorted, each once."""
        return tuple(sorted(set().union(*(self._below.get(code, {code}) for code in codes))))

    def expand_scope(self, scope: Scope) -> Scope:
        """The scope with everything inside its areas."""
        return scope if scope.areas is None else Scope(self.expand(scope.areas))
