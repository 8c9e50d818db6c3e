"""The single things that arguments name, as the center knows them: what the policy is asked about.

Each loader gives None for a thing that does not exist. The gateway judges that like a thing of nowhere, so that to a
caller bound to an area what does not exist and what lies elsewhere look the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matpho_platform.access.policy import Resource

if TYPE_CHECKING:
    from matpho_platform.center import Center


async def event_resource(center: Center, event_id: str) -> Resource | None:
    """The place of an event."""
    return _in_area(center, await center.events.area_of(event_id))


async def event_resources(center: Center, event_ids: Sequence[str]) -> tuple[Resource | None, ...]:
    """The places of several events."""
    return tuple([await event_resource(center, event_id) for event_id in event_ids])


async def incident_resource(center: Center, incident_id: str) -> Resource | None:
    """The place of an incident."""
    return _in_area(center, await center.incidents.area_of(incident_id))


async def unit_resource(center: Center, unit_id: str) -> Resource | None:
    """The area that a unit belongs to."""
    return _in_area(center, await center.units.area_of(unit_id))


async def identity_resource(center: Center, request_id: str) -> Resource | None:
    """Who asked for an identity check and who decided it."""
    parties = await center.identity.parties(request_id)
    if parties is None:
        return None
    requester, decider = parties
    return Resource(owner=requester, decider=decider)


async def feedback_resource(center: Center, code: str) -> Resource | None:
    """The place of a citizen's report and whose it is (nobody's when it is anonymous)."""
    found = await center.feedback.owner_of(code)
    if found is None:
        return None
    area, owner = found
    return Resource(lineage=center.areas.lineage(area), owner=owner or "")


def _in_area(center: Center, area: str | None) -> Resource | None:
    return None if area is None else Resource(lineage=center.areas.lineage(area))
