"""Step 3 for the places that arguments name: what lies outside the caller's areas is cut away, or all of it denied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from matpho_platform.access.conditions import Condition
from matpho_platform.access.policy import Allowed, Denied, Facts, Resource
from matpho_platform.access.principal import Principal
from matpho_tools.city import City
from matpho_tools.contract import Arguments, Tool
from matpho_tools.judging import NOWHERE, Decide, alike
from matpho_tools.resources import camera_resource

PUBLIC_ARGUMENTS = frozenset(
    {"event_types", "areas", "time_from", "time_to", "metric", "group_by", "compare_to", "query", "limit", "offset"}
)
PUBLIC_GROUPS = frozenset({"day", "week", "area", "event_type"})
"""What anybody may count by; an hour or a camera would single people out."""

Narrow = Callable[[Decide, Principal, Tool[Any], Arguments, City, Allowed, datetime], tuple[Arguments, bool] | Denied]


def narrow(
    decide: Decide,
    principal: Principal,
    tool: Tool[Any],
    arguments: Arguments,
    city: City,
    allowed: Allowed,
    now: datetime,
) -> tuple[Arguments, bool] | Denied:
    """The arguments that the policy lets run, and whether some were cut away; Denied when nothing is left.

    1 conditions on the arguments themselves: plates, public statistics
    2 each named area and camera is judged by itself; some allowed: the rest is cut; none allowed: denied
    """
    given = arguments.model_fields_set
    if Condition.NO_PLATES in allowed.conditions and getattr(arguments, "plate", None):
        return Denied("no_plates")
    if Condition.PUBLIC_ONLY in allowed.conditions and not _public(arguments):
        return Denied("public_only")
    named = tool.names(arguments)

    def ask(resource: Resource) -> Allowed | Denied:
        return alike(decide, principal, tool.action, decide(principal, tool.action, resource, Facts(), now), now)

    areas = _judged(named.areas, lambda code: ask(Resource(city.lineage(code))))
    if isinstance(areas, Denied):
        return areas
    cameras = _judged(named.camera_ids, lambda name: ask(camera_resource(city, name) or NOWHERE))
    if isinstance(cameras, Denied):
        return cameras
    changes: dict[str, tuple[str, ...]] = {}
    if "areas" in given and len(areas) < len(named.areas):
        changes["areas"] = areas
    if "camera_ids" in given and len(cameras) < len(named.camera_ids):
        changes["camera_ids"] = cameras
    return (arguments.model_copy(update=changes), True) if changes else (arguments, False)


def _judged(names: Sequence[str], judge: Callable[[str], Allowed | Denied]) -> tuple[str, ...] | Denied:
    verdicts = [(name, judge(name)) for name in names]
    kept = tuple(name for name, verdict in verdicts if isinstance(verdict, Allowed))
    denied = next((verdict for _name, verdict in verdicts if isinstance(verdict, Denied)), None)
    return denied if denied is not None and not kept else kept


def _public(arguments: Arguments) -> bool:
    told = {name for name in arguments.model_fields_set if getattr(arguments, name) not in (None, (), "")}
    return told <= PUBLIC_ARGUMENTS and set(getattr(arguments, "group_by", ())) <= PUBLIC_GROUPS
