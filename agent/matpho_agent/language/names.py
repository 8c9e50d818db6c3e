"""Units and people by name in a text: `CAP Hải Châu`, `đội môi trường`, `Đại úy Hằng`; names come from the registry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnitName:
    """A unit as names go; `kind` is police, fire, medical, traffic or environment."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    area: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PersonName:
    """A member of staff as names go: rank and name as written in the register."""

    id: str
    name: str
    role: str = ""
