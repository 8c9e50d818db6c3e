"""A clause that wishes nothing of its own but points at what was spoken of, or asks a fact of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.facts import FACT, PICTURE, SINCE, asks_fact, camera_tool, fact, focus_of, led
from matpho_agent.planner.laterness import shifts_day
from matpho_agent.planner.lookups import fitting
from matpho_agent.planner.merging import changes
from matpho_agent.planner.plan import EventReference, Memory, QueryPlan, Topic
from matpho_agent.planner.references import nth_name
from matpho_agent.planner.scan import OF_CAMERAS
from matpho_agent.planner.telling import told_by_words
from matpho_agent.planner.wishes import Wish

TOOL_OF: Mapping[Topic, str] = {
    "event": "get_event", "incident": "get_incident", "camera": "camera_status", "report": "feedback_status",
    "request": "identity_check_result",
}  # fmt: skip
"""What shows the one thing of a kind."""
LISTS_OF_EVENTS = frozenset({"search_events", "event_statistics"})
ASKING = (
    "nào",
    "mấy",
    "any",
    "which",
    "đâu",
    "có",
    "những",
    "các",
    "chỉ",
    "only",
    "just",
    "thôi",
    "every",
    "all",
    "bao",
)
_LONG = re.compile(
    r"(?<![0-9a-z])(?:(?:tu|hoi|bao) (?:nao|gio|hoi nao|khi nao|bao gio|luc nao)|bao lau|since when"
    r"|how long)(?![0-9a-z])"
)
_ELSEWHERE = re.compile(
    r"(?<![0-9a-z])(?:o dau nua|dau nua|noi khac|cho khac|xuat hien|con o|di dau|qua dau|where else"
    r"|anywhere else|show(?:n)? up|shown up"
    r"|appear(?:ed)?|seen again|did it do|everything (?:else )?it did|o mo|o dau)(?![0-9a-z])"
)


def retold(wish: Wish | None, clause: Clause) -> Wish | None:
    """The wish, unless the clause only asks a fact of what was spoken of: no question to the rules, no other case."""
    memory = clause.memory
    if wish is None or clause.codes:
        return wish
    pointed = clause.reading.has("reference") or bool(FACT.search(clause.free.plain))
    if wish.tool == "public_information" and memory.topic == "event" and pointed and clause.situation.role != "citizen":
        return None
    if wish.tool in {"get_incident", "public_information"} and memory.topic == "report" and memory.report_code:
        return Wish("feedback_status") if pointed or _how_far(clause) else wish
    return wish


_HOW_FAR = re.compile(
    r"(?<![0-9a-z])(?:toi dau|den dau|sao roi|the nao roi|ra sao|(?:xu ly|xong|giai quyet|lam|duyet|tra loi|phan hoi)"
    r"(?: gi)? chua|bao gio|khi nao|chung nao|ket qua|da ai|co ai|ai (?:dang )?(?:xu ly|phu trach|duyet)|tien do|status"
    r"|(?:any )?(?:news|updates?|progress)|how (?:far|long)|when will)(?![0-9a-z])"
)


def _how_far(clause: Clause) -> bool:
    """Whether the clause asks how far a matter has come, and names nothing else."""
    plan = clause.plan
    named = plan.event_types or plan.camera_ids or plan.areas or plan.plate or plan.objects
    return not named and bool(_HOW_FAR.search(clause.free.plain))


def about_what_was_said(plan: QueryPlan, clause: Clause) -> QueryPlan | None:
    """The plan of a clause that points at a row, at `nó`, or asks a fact; None where it is something else."""
    memory = clause.memory
    if memory.plan is not None and memory.plan.intent in LISTS_OF_EVENTS and shifts_day(clause):
        return None
    if _only_view(clause) and focus_of(memory) is not None and memory.topic == "event":
        plan.intent = "get_clip"
        return plan
    if plan.intent == "get_clip" and _matter_again(clause):
        plan.intent = "get_incident"
        return plan
    if (
        plan.intent == "get_event"
        and memory.topic == "incident"
        and (memory.incidents or memory.incident_id)
        and not clause.reading.identifiers.event_ids
    ):
        plan.intent = "get_incident"
        return plan
    if memory.topic in {"report", "request"} and _how_far(clause) and (named := _that(plan, clause)) is not None:
        return named
    that = plan.event is not None and plan.event.that and plan.event_types and not plan.group_by
    if that and not plan.time_from and len(fitting(memory.results, plan, clause.situation)) == 1:
        plan.intent = "get_event"
        return plan
    if plan.event is not None and plan.event.that and plan.intent in {"search_events", "event_statistics"}:
        return _seen_again(plan, clause)
    if (shown := _of_faulty_camera(plan, clause)) is not None:
        return shown
    if (
        plan.intent == "list_cameras"
        and memory.topic == "camera"
        and memory.camera_id
        and _LONG.search(clause.free.plain)
    ):
        plan.intent, plan.status = "camera_status", None
        return plan if not plan.areas and not clause.says("nào", "which", "những", "các") else None
    listed = memory.topic == "camera" and memory.cameras and plan.intent in {"camera_status", "list_cameras"}
    if listed and plan.event is not None and (plan.event.ordinal or plan.event.which) and not plan.areas:
        return _one_of_list(plan, clause)
    pictured = plan.intent == "get_snapshot" and memory.topic == "event" and bool(memory.event_id)
    if pictured and plan.event is not None and plan.event.that and not (plan.camera_ids or plan.camera_options):
        plan.intent = "get_event"
        return plan
    if plan.intent not in {"", "get_event", "search_events"} or (
        plan.camera_ids and memory.topic == "event" and not led(clause)
    ):
        return None
    if plan.event is not None and (plan.event.ordinal or plan.event.which) and not _filtered(plan):
        return _one_of_list(plan, clause)
    if plan.event is not None and plan.event.clock is not None and memory.results and not _asks_list(clause):
        plan.intent = "get_event"
        return plan
    if plan.event is not None and plan.event.that and plan.intent != "search_events" and not plan.event.event_id:
        return _that(plan, clause)
    if plan.intent == "" and asks_fact(plan, clause):
        return fact(plan, clause)
    return _named_one(plan, clause)


VIEW = frozenset({"xem", "coi", "mo", "bat", "show", "see", "play", "watch", "view", "open"})
AROUND_VIEW = frozenset(
    {
        "cho",
        "toi",
        "em",
        "anh",
        "chi",
        "minh",
        "tui",
        "di",
        "nao",
        "voi",
        "len",
        "nhe",
        "nha",
        "a",
        "thu",
        "luon",
        "lai",
    }
    | {"giup", "gium", "ho", "cai", "ra", "me", "us", "let", "it", "that", "please", "pls", "now", "can", "i", "we"}
)


def _only_view(clause: Clause) -> bool:
    """`cho xem`, `mở lên coi`, `let me see it`: nothing but the wish to look."""
    said = {token.plain for token in clause.free.tokens}
    return bool(said & VIEW) and said <= VIEW | AROUND_VIEW and not clause.acts & {"reopen", "open"}


def _matter_again(clause: Clause) -> bool:
    """`cho tôi xem lại vụ đó đã` where an incident was only named: it is read again, as no picture is spoken of."""
    memory = clause.memory
    shown = any(row.id == memory.incident_id and row.event_ids for row in memory.incidents)
    pictured = clause.says("clip", "video", "hình", "phim", "footage", "recording", "đoạn")
    named = memory.topic == "incident" and memory.incident_id and not memory.event_id
    return bool(named) and not shown and not pictured and not clause.plan.has_filters()


def _of_faulty_camera(plan: QueryPlan, clause: Clause) -> QueryPlan | None:
    """`hiện giờ nó ổn chưa`, `xem thử ảnh con đó` behind a fault of one camera: the camera is meant, not the event."""
    memory = clause.memory
    before = memory.plan
    if before is None or memory.camera_id is None or not before.event_types or plan.event_types:
        return None
    if not set(before.event_types) <= OF_CAMERAS or plan.event is None or not plan.event.that or plan.camera_ids:
        return None
    if PICTURE.search(clause.free.plain) or _STILL.search(clause.free.plain):
        return QueryPlan(intent="get_snapshot", camera_ids=[memory.camera_id])
    if plan.at_present or (SINCE.search(clause.free.plain) and plan.time_from is None):
        return QueryPlan(intent="camera_status", camera_ids=[memory.camera_id])
    return None


_STILL = re.compile(
    r"(?<![0-9a-z])(?:xem|coi|mo|chup|lay|cho)(?: thu| giup| lai| em| toi)* (?:cai |tam )?anh"
    r"(?= (?:con|cam|may|no|do|cua))"
)


def _filtered(plan: QueryPlan) -> bool:
    return plan.has_filters() and plan.time_point is None


def _asks_list(clause: Clause) -> bool:
    return clause.says("nào", "any", "những", "các", "which") or bool(changes(clause))


def _topic_tool(memory: Memory) -> str:
    return TOOL_OF.get(memory.topic, "get_event")


def _one_of_list(plan: QueryPlan, clause: Clause) -> QueryPlan | None:
    memory = clause.memory
    if memory.topic == "camera" and memory.cameras:
        camera = nth_name(memory.cameras, plan.event, memory.camera_id)
        if camera is None:
            return None
        plan.camera_ids, plan.intent = [camera], camera_tool(clause)
        return plan
    if not (memory.results or memory.incidents):
        return None
    plan.intent = "get_incident" if memory.topic == "incident" and memory.incidents else "get_event"
    return plan


def _that(plan: QueryPlan, clause: Clause) -> QueryPlan | None:
    """`nó mang biển số mấy`, `xe đó hôm qua có xuất hiện không`, `nó tắt từ khi nào`."""
    memory, plain = clause.memory, clause.free.plain
    focus = focus_of(memory)
    again = _seen_again(plan, clause)
    if again is not None:
        return again
    if plan.event_types or plan.time_from or plan.areas or plan.camera_ids or clause.says("giống", "similar"):
        return None
    if memory.topic == "camera" and memory.camera_id:
        plan.intent = camera_tool(clause) if PICTURE.search(plain) else "camera_status"
        return plan
    if memory.topic == "event" and (memory.results or memory.event_id):
        plan.intent = "get_event"
        return plan if focus is not None or not asks_fact(plan, clause) else fact(plan, clause)
    if memory.topic == "incident" and (memory.incident_id or memory.incidents):
        plan.intent = "get_incident"
        return plan
    if memory.topic == "report" and memory.report_code:
        plan.intent, plan.arguments = "feedback_status", {"code": memory.report_code}
        return plan
    if memory.topic == "request" and memory.request_id:
        plan.intent, plan.arguments = "identity_check_result", {"request_id": memory.request_id}
        return plan
    return None


def _seen_again(plan: QueryPlan, clause: Clause) -> QueryPlan | None:
    """`bữa 18 nó ở mô`: the vehicle spoken of, by its plate."""
    focus, before = focus_of(clause.memory), clause.memory.plan
    plate = (focus.plate if focus is not None else "") or (before.plate if before is not None else None)
    if not plate or clause.memory.topic != "event" or not _on_the_move(plan, clause.free.plain):
        return None
    found = QueryPlan(intent="search_events", plate=plate, time_from=plan.time_from, time_to=plan.time_to)
    if before is not None and before.plate and plan.time_from is None:
        found.time_from, found.time_to = before.time_from, before.time_to
    return found


def _on_the_move(plan: QueryPlan, plain: str) -> bool:
    return bool(plan.time_from or _ELSEWHERE.search(plain)) and not plan.event_types


def _named_one(plan: QueryPlan, clause: Clause) -> QueryPlan | None:
    """`cái ở ga`, `vụ trẻ con chạy xuống đường ấy`: the one row of the list that the words fit."""
    memory = clause.memory
    if not led(clause) or clause.says(*ASKING) or changes(clause) or plan.intent or plan.follow == "narrow":
        return None
    places = plan.camera_ids or plan.camera_options or plan.areas
    rows = memory.incidents if memory.topic == "incident" else memory.results
    fit = fitting(rows, plan, clause.situation)
    told = (
        told_by_words(rows, clause, kinds=len(fit) != 1) if memory.topic in {"event", "incident"} and not places else []
    )
    if len(told) == 1 < len(rows) and (told[0] in fit or not fit) and not plan.time_from:
        plan.intent, plan.event = _topic_tool(memory), EventReference(event_id=told[0].id)
        return plan if memory.topic == "event" else QueryPlan(intent=plan.intent, arguments={"incident_id": told[0].id})
    if memory.topic == "camera" and memory.cameras and (plan.camera_ids or plan.camera_options):
        there = [name for name in (plan.camera_ids or plan.camera_options) if name in memory.cameras]
        if len(there) == 1 and not plan.event_types:
            plan.camera_ids, plan.camera_options, plan.intent = there, [], camera_tool(clause)
            return plan
    if not (plan.event_types or places) or memory.topic not in {"event", "incident"}:
        return None
    if len(rows) > 1 and len(fit) == 1:
        plan.intent = _topic_tool(memory)
        return plan
    if memory.topic == "incident" and places and not (plan.event_types or plan.time_from or plan.objects):
        plan.intent = "get_incident"
        return plan
    return None
