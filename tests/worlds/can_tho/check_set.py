"""Checks set.jsonl against world.json by computing: ids, filters, rights, times and states that each turn relies on."""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from matpho.eval.agent_set import Conversation, SetTurn, read_set
from matpho.eval.world_file import World, WorldCamera, WorldEvent, WorldIncident, WorldUser, read_world

HERE = Path(__file__).parent
FIRST_RESULTS = 10
SEVERITIES = ("info", "low", "medium", "high", "critical")
FIELD = {"officer", "investigator", "commander"}
"""Roles that see events and pictures whole."""
WATCH, DUTY, CASE = FIELD | {"leader"}, {"officer", "commander"}, {"investigator", "commander"}
MAY = {
    "search_events": WATCH,
    "get_event": WATCH,
    "find_similar_events": WATCH,
    "get_snapshot": WATCH,
    "get_clip": WATCH,
    "list_incidents": WATCH,
    "get_incident": WATCH,
    "event_statistics": WATCH | {"citizen"},
    "list_cameras": WATCH | {"admin"},
    "camera_status": WATCH | {"admin"},
    "daily_briefing": DUTY | {"leader"},
    "move_camera": DUTY,
    "acknowledge_alert": DUTY,
    "update_incident": DUTY,
    "open_incident": DUTY,
    "dispatch_unit": DUTY,
    "escalate_incident": DUTY,
    "create_watch": FIELD,
    "export_evidence": CASE,
    "request_identity_check": CASE,
    "identity_check_result": CASE,
    "decide_identity_check": {"commander"},
    "search_audit": {"auditor", "admin", "leader"},
}
"""Who may run what; a tool that is not here is everybody's."""
ONE = {
    "event_id": ("get_event",),
    "camera_id": ("camera_status",),
    "incident_id": ("get_incident",),
    "code": ("feedback_status",),
    "request_id": ("identity_check_result",),
}
"""Tools that speak of one thing, by the argument that names it."""
Json = dict[str, Any]
Reading = Callable[[Iterable[object]], bool]
"""`all`: under every reading of an expectation; `any`: under at least one."""


def main() -> int:
    """Prints every problem and the counts; 1 when there is a problem."""
    world = read_world(HERE / "world.json")
    conversations = read_set(HERE / "set.jsonl", world)
    problems = [*_repeated(conversations)]
    notes: list[str] = []
    for conversation in conversations:
        user = world.user[conversation.user]
        for number, turn in enumerate(conversation.turns, start=1):
            where = f"{conversation.id}.{number}"
            problems += [f"{where}: {problem}" for problem in _problems(world, user, turn)]
            notes += [f"{where}: {note}" for note in _left_out(world, user, turn)]
    for line in problems:
        print(line)
    if "--notes" in sys.argv:
        print(*notes, sep="\n")
    _count(conversations, world)
    return 1 if problems else 0


def alternatives(wanted: Any) -> list[Any]:
    """Every value that an expectation lets through; a range or an absence counts as one."""
    return list(wanted["any"]) if isinstance(wanted, dict) and set(wanted) == {"any"} else [wanted]


def _repeated(conversations: Iterable[Conversation]) -> Iterator[str]:
    said = Counter(turn.say.casefold() for c in conversations for turn in c.turns if len(turn.say) > FIRST_RESULTS)
    yield from (f"said {count} times: {say}" for say, count in said.items() if count > 1)


def _problems(world: World, user: WorldUser, turn: SetTurn) -> Iterator[str]:
    if turn.expect is None:
        return
    yield from _dangling(world, turn)
    yield from _times(turn)
    runs = set(turn.expect.outcomes) & {"answered", "confirm"}
    for tool in turn.expect.tools if runs and turn.expect.given("tool") else ():
        if tool and user.role not in MAY.get(tool, {user.role}):
            yield f"{tool} is not for the role {user.role}"
    if runs:
        yield from _out_of_reach(world, user, turn)
    yield from _states(world, user, turn)
    yield from _wrong_results(world, user, turn)


def _dangling(world: World, turn: SetTurn) -> Iterator[str]:
    assert turn.expect is not None
    known = {
        "camera": {camera.id for camera in world.cameras},
        "area": {area.code for area in world.areas},
        "unit": {unit.id for unit in world.units},
        "event": {event.id for event in world.events},
        "incident": {incident.id for incident in world.incidents},
        "procedure": {procedure.id for procedure in world.procedures},
        "request": {request.id for request in world.identity_requests},
        "code": {report.code for report in world.feedback},
    }
    for key, value in _named(turn.expect.args):
        kind = key.removesuffix("s").removesuffix("_id")
        if kind in known and value not in known[kind]:
            yield f"{key} names {value}, which the world does not have"
    everything: set[str] = set().union(*known.values())
    for key in (*turn.expect.result_ids.includes, *turn.expect.result_ids.excludes):
        if key not in everything:
            yield f"the result {key} does not exist"


def _named(args: Json) -> Iterator[tuple[str, str]]:
    """Every argument with each of the texts that it may hold."""
    for key, wanted in args.items():
        for value in alternatives(wanted):
            if isinstance(value, dict) and not set(value) & {"between", "absent"}:
                yield from _named(value)
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, str):
                    yield key, part


def _times(turn: SetTurn) -> Iterator[str]:
    assert turn.expect is not None
    ends = [_span(turn.expect.args[key]) for key in ("time_from", "time_to") if key in turn.expect.args]
    for low, high in ends:
        if low > high:
            yield "a range of time ends before it begins"
    if len(ends) == 2 and ends[0][0] >= ends[1][1]:
        yield "time_to can only lie before time_from"


def _span(wanted: Any) -> tuple[float, float]:
    """Earliest and latest moment that an expected time lets through; no bound at all counts as the far future."""
    lows, highs = [], []
    for value in alternatives(wanted):
        ends = value.get("between", ["9999-01-01T00:00:00+00:00"] * 2)
        lows.append(datetime.fromisoformat(ends[0]).timestamp())
        highs.append(datetime.fromisoformat(ends[1]).timestamp())
    return min(lows), max(highs)


def _reach(user: WorldUser, area: str, world: World) -> bool:
    """Whether an area is the user's own or lies in it; a user without an area has none."""
    parents = {a.code: a.parent for a in world.areas}
    above: str | None = area
    while above is not None:
        if above == user.area:
            return True
        above = parents[above]
    return False


def _out_of_reach(world: World, user: WorldUser, turn: SetTurn) -> Iterator[str]:
    assert turn.expect is not None
    if user.role in {"citizen", "auditor"}:
        return
    area_of = {camera.id: camera.area for camera in world.cameras}
    area_of |= {incident.id: incident.area for incident in world.incidents}
    area_of |= {event.id: area_of[event.camera_id] for event in world.events}
    area_of |= {area.code: area.code for area in world.areas}
    ids = [value for key, value in _named(turn.expect.args) if key != "unit_id"]
    for key in (*ids, *turn.expect.result_ids.includes):
        if key in area_of and not _reach(user, area_of[key], world):
            yield f"{key} is outside {user.id}'s area"


def _states(world: World, user: WorldUser, turn: SetTurn) -> Iterator[str]:
    """What a tool needs of the world: a camera that turns or answers, a step of that procedure, a grant."""
    assert turn.expect is not None
    expect, args = turn.expect, turn.expect.args
    cameras = {camera.id: camera for camera in world.cameras}
    camera = cameras.get(str(args.get("camera_id")))
    runs = expect.outcomes[0] in {"answered", "confirm"}
    if camera and "move_camera" in expect.tools and runs and camera.kind != "ptz":
        yield f"{camera.id} is fixed"
    if camera and "preset" in args and args["preset"] not in camera.presets:
        yield f"{camera.id} has no preset {args['preset']}"
    if set(expect.tools) & {"get_snapshot", "get_clip"}:
        camera = camera or _camera_of(world, args)
        gone = camera is not None and camera.status == "offline"
        if gone != (expect.outcomes[0] == "failed"):
            yield f"the camera is {'off' if gone else 'on'}"
    yield from _incident_states(world, args)
    yield from _identity_states(world, user, turn)


def _camera_of(world: World, args: Json) -> WorldCamera | None:
    events = {event.id: event for event in world.events}
    wanted = [events[value].camera_id for key, value in _named(args) if key == "event_id" and value in events]
    return next((camera for camera in world.cameras if camera.id in wanted), None)


def _incident_states(world: World, args: Json) -> Iterator[str]:
    incident = next((i for i in world.incidents if i.id == args.get("incident_id")), None)
    if incident is None:
        return
    steps = {s.name for p in world.procedures if p.id == incident.procedure for s in p.steps}
    if "step_done" in args and args["step_done"] not in steps:
        yield f"{incident.id} has no step {args['step_done']}"
    if args.get("status") == incident.status:
        yield f"{incident.id} is already {incident.status}"


def _identity_states(world: World, user: WorldUser, turn: SetTurn) -> Iterator[str]:
    assert turn.expect is not None
    args, grant = turn.expect.args, world.identity_grant
    if "request_identity_check" in turn.expect.tools and grant:
        for key, value in _named(args):
            if (key == "purpose" and value not in grant.purposes) or (key == "fields" and value not in grant.fields):
                yield f"the grant has no {key} {value}"
    request = next((r for r in world.identity_requests if r.id == args.get("request_id")), None)
    if request is None:
        return
    decidable = request.requester != user.id and request.status == "pending"
    if "decide_identity_check" in turn.expect.tools and not decidable:
        yield f"{request.id} cannot be decided by {user.id}"
    theirs = user.id in (request.requester, request.decided_by)
    if "identity_check_result" in turn.expect.tools and not theirs:
        yield f"{request.id} is none of {user.id}'s"


def _wrong_results(world: World, user: WorldUser, turn: SetTurn) -> Iterator[str]:
    assert turn.expect is not None
    expect = turn.expect
    named = [expect.args[key] for key in ONE if key in expect.args]
    if expect.tools in ONE.values() and named and not set(expect.result_ids.includes) <= set(named):
        yield f"{expect.tools[0]} of {named[0]} speaks of something else"
    found = _fitting(world, user, turn)
    if found is None:
        return
    surely, possibly = found
    for key in expect.result_ids.includes:
        if key not in surely:
            yield f"{key} need not be found"
    for key in expect.result_ids.excludes:
        if key in possibly:
            yield f"{key} may be found"
    if expect.result_ids.includes and len(possibly) > FIRST_RESULTS:
        yield f"{len(possibly)} results fit: the wanted ones need not be among the first ten"


def _left_out(world: World, user: WorldUser, turn: SetTurn) -> Iterator[str]:
    found = _fitting(world, user, turn) if turn.expect else None
    if found and turn.expect and "answered" in turn.expect.outcomes:
        surely, possibly = found
        yield f"{len(surely)} surely, {len(possibly)} possibly; {turn.say}"
        if len(possibly) <= FIRST_RESULTS:
            yield from (f"  also {key}" for key in surely if key not in turn.expect.result_ids.includes)


def _fitting(world: World, user: WorldUser, turn: SetTurn) -> tuple[list[str], list[str]] | None:
    """What fits under every reading of the expected arguments, and under at least one; None where nothing is listed."""
    assert turn.expect is not None
    args, tools = turn.expect.args, turn.expect.tools
    area_of = {camera.id: camera.area for camera in world.cameras}
    if tools == ("search_events",):
        seen = [event for event in world.events if _reach(user, area_of[event.camera_id], world)]
        return _both(lambda how: [event.id for event in seen if _event_fits(event, args, area_of, world, how)])
    if tools == ("list_cameras",):
        cameras = [camera for camera in world.cameras if _reach(user, camera.area, world)]
        return _both(lambda how: [camera.id for camera in cameras if _camera_fits(camera, args, how)])
    if tools == ("list_incidents",):
        incidents = [incident for incident in world.incidents if _reach(user, incident.area, world)]
        return _both(lambda how: [incident.id for incident in incidents if _incident_fits(incident, args, how)])
    return None


def _both(fitting: Callable[[Reading], list[str]]) -> tuple[list[str], list[str]]:
    return fitting(all), fitting(any)


def _camera_fits(camera: WorldCamera, args: Json, how: Reading) -> bool:
    return all(
        how(
            getattr(camera, name) in (value if isinstance(value, list) else [value])
            for value in alternatives(args[key])
        )
        for key, name in (("areas", "area"), ("status", "status"), ("kind", "kind"), ("owner", "owner"))
        if key in args
    )


def _incident_fits(incident: WorldIncident, args: Json, how: Reading) -> bool:
    return all(
        how(getattr(incident, name) in value for value in alternatives(args[key]))
        for key, name in (("status", "status"), ("priority", "priority"), ("areas", "area"))
        if key in args
    )


def _event_fits(event: WorldEvent, args: Json, area_of: dict[str, str], world: World, how: Reading) -> bool:
    tests: dict[str, Callable[[Any], bool]] = {
        "event_types": lambda value: event.type in value,
        "camera_ids": lambda value: event.camera_id in value,
        "areas": lambda value: area_of[event.camera_id] in value,
        "objects": lambda value: any(thing.label in value for thing in event.objects),
        "objects_not": lambda value: not any(thing.label in value for thing in event.objects),
        "colors": lambda value: any(thing.colour in value for thing in event.objects),
        "plate": lambda value: any(_bare(value) in _bare(thing.plate or "") for thing in event.objects),
        "severity_min": lambda value: SEVERITIES.index(event.severity) >= SEVERITIES.index(value),
        "min_count": lambda value: (
            len(event.objects) >= (value["between"][how is all] if isinstance(value, dict) else value)
        ),
        "near": lambda value: _metres(event, value, world) <= value["radius_m"],
    }
    return _in_time(event, args, how) and all(
        how(test(value) for value in alternatives(args[key])) for key, test in tests.items() if key in args
    )


def _in_time(event: WorldEvent, args: Json, how: Reading) -> bool:
    moment, narrow = event.time.timestamp(), how is all
    after = "time_from" not in args or moment >= _span(args["time_from"])[narrow]
    return after and ("time_to" not in args or moment <= _span(args["time_to"])[not narrow])


def _bare(plate: str) -> str:
    return "".join(character for character in plate.upper() if character.isalnum())


def _metres(event: WorldEvent, near: Json, world: World) -> float:
    place = next(camera.location for camera in world.cameras if camera.id == event.camera_id)
    assert place is not None
    north = (place[0] - near["lat"]) * 111_195
    east = (place[1] - near["lon"]) * 111_195 * math.cos(math.radians(near["lat"]))
    return math.hypot(north, east)


def _count(conversations: Iterable[Conversation], world: World) -> None:
    """Prints how many scored turns there are by outcome, tool, language and role."""
    scored = [(c, t.expect) for c in conversations for t in c.turns if t.expect is not None]
    counts: dict[str, Counter[str]] = {
        "outcome": Counter(expect.outcomes[0] for _, expect in scored),
        "tool": Counter(str(tool) for _, e in scored if e.given("tool") for tool in e.tools[:1]),
        "lang": Counter(c.lang for c, _ in scored),
        "role": Counter(str(world.user[c.user].role) for c, _ in scored),
    }
    print(json.dumps({"turns": len(scored), **counts}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    sys.exit(main())
