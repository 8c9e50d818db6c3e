"""The decision: may this caller do this to that? Asked of the policy files; whatever is not a clear yes is a no."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from matpho_platform.access.decisions import Allowed, Denied, Facts, Resource
from matpho_platform.access.policy_files import DEFAULT_FOLDER, PolicyBook, read_policies
from matpho_platform.access.policy_judge import Judge
from matpho_platform.access.principal import Principal, Role

if TYPE_CHECKING:
    from matpho_platform.cameras.areas import AreaTree

__all__ = ["Allowed", "Denied", "Facts", "PolicyEngine", "Resource"]

NO_FACTS = Facts()
log = logging.getLogger(__name__)


class PolicyEngine:
    """Decides by the policy files. Pure but for what it remembers; safe to share."""

    def __init__(self, areas: AreaTree, folder: Path, book: PolicyBook) -> None:
        self._areas = areas
        self._folder = folder
        self._judge = Judge(book, areas)

    @classmethod
    def load(cls, areas: AreaTree, folder: Path | None = None) -> PolicyEngine:
        """The engine over a folder of policy files, by default those that ship.

        Raises ConfigurationError when the files are not all there, do not parse or do not fit their schema.
        """
        chosen = folder or DEFAULT_FOLDER
        return cls(areas, chosen, read_policies(chosen))

    def reload(self) -> None:
        """Read the files again. Raises ConfigurationError as `load`, and then goes on deciding by the old ones."""
        self._judge = Judge(read_policies(self._folder), self._areas)

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self._folder

    @property
    def version(self) -> str:
        """Names the files that decide; an audit entry carries it."""
        return self._judge.book.version

    @property
    def actions(self) -> frozenset[str]:
        """Every action that the policy knows."""
        return self._judge.book.actions

    def decide(
        self,
        principal: Principal,
        action: str,
        resource: Resource | None = None,
        facts: Facts = NO_FACTS,
        now: datetime | None = None,
    ) -> Allowed | Denied:
        """Whether the caller may do this, where, and under which conditions; never raises, an error is a no.

        Without a resource the policy is asked about every area, and the scope says where it agreed (Scope(None):
        everywhere). A resource in no place is judged as one where the caller may. `now` (with an offset) is the moment
        of the call; without it no second factor counts as fresh. The rule of a denial is the first that holds of:

        1 `unknown_action`: no policy permits it to anybody
        2 `token_scope`: the API token does not cover it
        3 `role`: no policy permits it to the caller's role
        4 `area`: none permits it there
        5 the `@rule` of the first policy in the files that forbids it, `step_up` last
        (`engine`: the policy could not be asked)
        """
        judge = self._judge
        try:
            return judge.decide(principal, action, resource, facts, now)
        except Exception:
            log.exception("no decision, so denied", extra={"action": action[:64], "policy": judge.book.version})
            return Denied("engine")

    def explain(
        self,
        principal: Principal,
        action: str,
        resource: Resource | None = None,
        facts: Facts = NO_FACTS,
        now: datetime | None = None,
    ) -> tuple[str, ...]:
        """The `@id`s of the policies that decide this; empty when nothing permits it."""
        return self.decide(principal, action, resource, facts, now).policies

    def grantees(self, action: str) -> tuple[Role, ...]:
        """The roles that some policy permits the action to, somewhere; none for an unknown action."""
        return self._judge.book.grantees.get(action, ())
