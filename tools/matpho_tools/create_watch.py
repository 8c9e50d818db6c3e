"""`create_watch`: a standing query; every new event that fits is told to whom the watch names. Never about a person."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

from pydantic import Field, StringConstraints

from matpho_contracts.times import VIETNAM, AwareDatetime
from matpho_contracts.vocabulary import COLOUR_NAMES, EVENT_TYPES, OBJECT_NAMES, ObjectClass
from matpho_platform.access.conditions import Condition
from matpho_platform.access.policy import Allowed, Facts, Resource
from matpho_platform.cameras.errors import CameraNotFoundError
from matpho_platform.identity.cases import read_case_number
from matpho_platform.identity.errors import UnclearError
from matpho_platform.watches.errors import WatchError
from matpho_platform.watches.schemas import DEFAULT_LIFE, MAX_NAME, MAX_NOTIFY, WatchPlan
from matpho_platform.watches.schemas import WatchFilter as KeptFilter
from matpho_platform.watches.service import check_plan
from matpho_tools.contract import Arguments, Call, MissingError, Named, Prepared, Produced, Row, Tool
from matpho_tools.filters import MAX_QUERY_CHARS, FilterArguments
from matpho_tools.people import is_oneself, matching

ACTION = "create_watch"
Recipient = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class WatchFilter(FilterArguments):
    """The arguments of a search; its period is not part of a watch (`expires` is)."""

    query: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_QUERY_CHARS)] = ""

    def kept(self) -> KeptFilter:
        """As the center keeps it, without a period."""
        where = self.event_filter().model_copy(update={"time_from": None, "time_to": None})
        return KeptFilter(where=where, query=self.query)


class CreateWatchArguments(Arguments):
    """What to watch for, whom to tell (accounts; the caller by default), until when (seven days by default)."""

    filter: WatchFilter
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NAME)] = ""
    notify: tuple[Recipient, ...] = Field(default=(), max_length=MAX_NOTIFY)
    expires: AwareDatetime | None = None
    case_number: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] | None = None

    def named(self) -> Named:
        """The places that the filter names."""
        return self.filter.named()


async def _prepare(call: Call[CreateWatchArguments]) -> Prepared[CreateWatchArguments]:
    """Everything that was left out is filled in, so that the person sees the watch as it will stand."""
    said = call.arguments
    if said.filter.kept().is_empty:
        raise MissingError("filter", "say what to watch for: a kind of event, a place, an object")
    expires = said.expires or said.filter.time_to or call.now + DEFAULT_LIFE
    cameras = await _cameras(call)
    within = {"areas": _areas(call), "camera_ids": tuple(cameras), "time_from": None, "time_to": None}
    ready = said.model_copy(
        update={
            "filter": said.filter.model_copy(update=within),
            "name": said.name or _default_name(call, said.filter),
            "notify": await _recipients(call),
            "expires": expires,
            "case_number": _case_number(call),
        }
    )
    try:
        check_plan(_plan(ready), call.now)
    except WatchError as error:
        raise MissingError(error.argument, error.message) from error
    return Prepared(ready, _rows(call, ready, cameras))


def _areas(call: Call[CreateWatchArguments]) -> tuple[str, ...]:
    """The named areas that the caller may watch; what lies outside is left out before anybody agrees to it."""
    center, said = call.center, call.arguments.filter.areas

    def may(code: str) -> bool:
        resource = Resource(lineage=center.areas.lineage(code))
        return isinstance(center.policy.decide(call.principal, ACTION, resource, now=call.now), Allowed)

    return tuple(code for code in said if may(code))


async def _cameras(call: Call[CreateWatchArguments]) -> dict[str, str]:
    """The named cameras within the caller's scope, with their names."""
    found: dict[str, str] = {}
    for camera_id in call.arguments.filter.camera_ids:
        with suppress(CameraNotFoundError):
            found[camera_id] = (await call.center.cameras.status(call.scope, camera_id)).camera.name
    return found


def _case_number(call: Call[CreateWatchArguments]) -> str | None:
    """The case number, asked for where the policy's yes depends on one."""
    said = call.arguments.case_number
    if said:
        try:
            return read_case_number(said)
        except UnclearError as error:
            raise MissingError(error.argument, error.message) from error
    verdict = call.center.policy.decide(call.principal, ACTION, now=call.now)
    if not isinstance(verdict, Allowed) or Condition.CASE_NUMBER in verdict.conditions:
        raise MissingError("case_number", "your role makes watches for a case only; say its number")
    return None


async def _recipients(call: Call[CreateWatchArguments]) -> tuple[str, ...]:
    """The accounts to tell, each once; raises MissingError for a name that is nobody's or several people's."""
    everybody = await call.center.accounts.all()
    found: list[str] = []
    for said in call.arguments.notify:
        fitting = (call.principal.user_id,) if is_oneself(said) else matching(said, everybody)
        if len(fitting) != 1:
            raise MissingError("notify", "several people fit" if fitting else "no account fits this name", fitting)
        found.append(fitting[0])
    return tuple(dict.fromkeys(found)) or (call.principal.user_id,)


def _plan(ready: CreateWatchArguments) -> WatchPlan:
    if ready.expires is None:
        raise MissingError("expires", "say until when")
    return WatchPlan(
        name=ready.name,
        filter=ready.filter.kept(),
        notify=ready.notify,
        expires_at=ready.expires,
        case_number=ready.case_number or "",
    )


def _default_name(call: Call[CreateWatchArguments], wanted: WatchFilter) -> str:
    what = ", ".join(EVENT_TYPES[kind][2].vi for kind in wanted.event_types) or wanted.query or "sự kiện"
    places = [_area(call, code) for code in wanted.areas] + list(wanted.camera_ids)
    return " · ".join([what, *places])[:MAX_NAME]


def _rows(call: Call[CreateWatchArguments], ready: CreateWatchArguments, cameras: Mapping[str, str]) -> tuple[Row, ...]:
    said = call.arguments
    until = ready.expires.astimezone(VIETNAM).strftime("%H:%M %d/%m/%Y") if ready.expires else "-"
    told = ", ".join(ready.notify)
    rows = [
        Row("name", "Tên", "Name", ready.name, ready.name, "person" if said.name else "center"),
        Row("filter", "Theo dõi", "Watch for", *_conditions(call, ready.filter, cameras)),
        Row("expires", "Đến", "Until", until, until, "person" if said.expires else "center"),
        Row("notify", "Báo cho", "Tell", told, told, "person" if said.notify else "center"),
    ]
    if ready.case_number:
        rows.append(Row("case_number", "Số hồ sơ", "Case", ready.case_number, ready.case_number))
    return tuple(rows)


def _conditions(call: Call[CreateWatchArguments], wanted: WatchFilter, cameras: Mapping[str, str]) -> tuple[str, str]:
    """The whole filter in words, Vietnamese and English; nothing that will run is left out."""
    parts: list[tuple[str, str]] = []
    parts += [EVENT_TYPES[kind][2] for kind in wanted.event_types]
    parts += [_object(label) for label in wanted.objects]
    parts += [(f"không có {vi}", f"no {en}") for vi, en in map(_object, wanted.objects_not)]
    parts += [COLOUR_NAMES[colour] for colour in wanted.colors]
    if wanted.min_count is not None:
        parts.append((f"từ {wanted.min_count} trở lên", f"at least {wanted.min_count}"))
    if wanted.plate is not None:
        parts.append((f"biển số {wanted.plate}", f"plate {wanted.plate}"))
    if wanted.severity_min is not None:
        parts.append((f"mức {wanted.severity_min.value} trở lên", f"severity {wanted.severity_min.value} or above"))
    if wanted.query:
        parts.append((f"mô tả có các từ «{wanted.query}»", f"described with the words «{wanted.query}»"))
    parts += [(_area(call, code), _area(call, code)) for code in wanted.areas]
    parts += [(f"camera {name} ({camera})", f"camera {name} ({camera})") for camera, name in cameras.items()]
    if wanted.near is not None:
        place, metres = f"{wanted.near.lat:.5f}, {wanted.near.lon:.5f}", f"{wanted.near.radius_m:g} m"
        parts.append((f"trong {metres} quanh {place}", f"within {metres} of {place}"))
    return "; ".join(vi for vi, _ in parts), "; ".join(en for _, en in parts)


def _object(label: str) -> tuple[str, str]:
    known = OBJECT_NAMES.get(ObjectClass(label)) if label in set(ObjectClass) else None
    return (known.vi, known.en) if known else (label, label)


def _area(call: Call[CreateWatchArguments], code: str) -> str:
    area = call.center.areas.find(code)
    return area.name if area else code


async def _run(call: Call[CreateWatchArguments]) -> Produced:
    watch = await call.center.watches.create(call.principal, _plan(call.arguments), at=call.now, key=call.key)
    return Produced(watch, (watch.id,))


TOOL = Tool(
    name=ACTION,
    summary="Make a standing watch: every new event that fits the filter notifies; places and objects, never people.",
    arguments=CreateWatchArguments,
    action=ACTION,
    run=_run,
    part_vi="bộ theo dõi",
    part_en="the watch service",
    names=CreateWatchArguments.named,
    free_text=lambda arguments: (
        arguments.name,
        f"báo khi thấy {arguments.filter.query}",
        f"báo khi thấy {' '.join(arguments.filter.objects)}",
    ),
    facts=lambda arguments: Facts(case_number=arguments.case_number or ""),
    prepare=_prepare,
)
