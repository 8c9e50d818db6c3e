"""Who handles reports, and which step may follow which: rules of this domain, beside the policy.

The policy says who may ask where a report stands: everybody who has its code, as it ships. How much of it they get is
no question of access but of whose the report is: its words, its place and its photos are the writer's and, so that
something is done about it, those people's who handle reports where it is. All others get the state alone, whatever they
may do elsewhere.
"""

from __future__ import annotations

from matpho_platform.access.principal import Principal, Role
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.feedback.schemas import Status

HANDLERS_EVERYWHERE = frozenset({Role.COMMANDER, Role.LEADER})
HANDLERS_OF_OWN_AREAS = frozenset({Role.OFFICER, Role.INVESTIGATOR})
NEXT: dict[Status, frozenset[Status]] = {
    Status.RECEIVED: frozenset({Status.IN_PROGRESS, Status.RESOLVED, Status.REJECTED}),
    Status.IN_PROGRESS: frozenset({Status.IN_PROGRESS, Status.RESOLVED, Status.REJECTED}),
    Status.REOPENED: frozenset({Status.IN_PROGRESS, Status.RESOLVED, Status.REJECTED}),
    Status.RESOLVED: frozenset({Status.REOPENED}),
    Status.REJECTED: frozenset({Status.REOPENED}),
}


def handles(principal: Principal, area: str, areas: AreaTree) -> bool:
    """Whether somebody handles the reports of an area, and so reads them whole."""
    if principal.role in HANDLERS_EVERYWHERE:
        return True
    return principal.role in HANDLERS_OF_OWN_AREAS and area in areas.expand(principal.areas)


def may_move_on(principal: Principal, status: Status, *, owner: str, area: str, areas: AreaTree) -> bool:
    """Whether somebody may take a report to a state: who handles it to any, its owner back to open."""
    mine = owner == principal.user_id
    return handles(principal, area, areas) or (mine and status is Status.REOPENED)
