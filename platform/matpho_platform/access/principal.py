"""The caller as the runtime knows them: never taken from a model's or a client's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """The seven roles of the tool contract."""

    CITIZEN = "citizen"
    OFFICER = "officer"
    INVESTIGATOR = "investigator"
    COMMANDER = "commander"
    LEADER = "leader"
    AUDITOR = "auditor"
    ADMIN = "admin"


PROVINCE_WIDE: frozenset[Role] = frozenset({Role.COMMANDER, Role.LEADER, Role.ADMIN, Role.AUDITOR})
"""Roles whose rights, where they have any, are not bound to their own areas."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: an account with its role and areas, as authenticated for this request."""

    user_id: str
    name: str
    role: Role
    areas: tuple[str, ...] = ()
    """Area codes of the account; empty for province-wide roles."""
    session_id: str = ""
    mfa_at: datetime | None = None
    """When this session last showed a second factor; None: never."""
    program: bool = False
    """Whether a program bears an access token, rather than a person a session: it may ask, a person must agree."""
    actions: frozenset[str] | None = None
    """The only actions that this bearer may use (a scoped API token); None: all that the role may."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which areas a decision lets the caller see; None is all, the empty tuple none. A filter of every query."""

    areas: tuple[str, ...] | None = ()

    def covers(self, area: str) -> bool:
        """Whether something in `area` may be seen."""
        return self.areas is None or area in self.areas
