"""The single things that arguments name, as the center knows them: what the policy is asked about.

Each loader gives None for a thing that does not exist. The gateway judges that like a thing of nowhere, so that to a
caller bound to an area what does not exist and what lies elsewhere look the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matpho_platform.access.policy import Resource
from matpho_tools.city import City

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


async def incident_seen(center: Center, incident_id: str) -> Resource | None:
    """The place of an incident for somebody who only looks: its own, and the areas that help with it."""
    place = await incident_resource(center, incident_id)
    if place is None:
        return None
    helping = [center.areas.lineage(area) for area in await center.incidents.helping(incident_id)]
    return Resource(lineage=tuple(dict.fromkeys((*place.lineage, *(code for line in helping for code in line)))))


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


def camera_resource(city: City, camera_id: str) -> Resource | None:
    """The place of a camera and whether it turns."""
    camera = city.camera(camera_id)
    if camera is None:
        return None
    return Resource(city.lineage(camera.area), "ptz" if camera.kind == "ptz" else "fixed")


_BY_ARGUMENT: Mapping[str, Callable[[Center, str], Awaitable[Resource | None]]] = {
    "event_id": event_resource,
    "incident_id": incident_resource,
    "request_id": identity_resource,
}


async def named_so_far(center: Center, city: City, arguments: Mapping[str, Any]) -> list[Resource]:
    """The things that a call lacking other arguments names already and that exist."""
    found = [camera_resource(city, str(arguments["camera_id"]))] if "camera_id" in arguments else []
    found += [await load(center, str(arguments[name])) for name, load in _BY_ARGUMENT.items() if name in arguments]
    return [resource for resource in found if resource is not None]


def _in_area(center: Center, area: str | None) -> Resource | None:
    return None if area is None else Resource(lineage=center.areas.lineage(area))
