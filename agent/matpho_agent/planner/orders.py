"""Whether a clause orders something done to an incident, a unit or a camera, and how a question looks."""

from __future__ import annotations

import re

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.drafts.cameras import degrees_in, direction, known_preset, measured, move, names_preset
from matpho_agent.planner.drafts.steps import step_done_bare
from matpho_agent.planner.intents import speaks_of_cameras

ASKING = (
    "nào", "mấy", "nhiêu", "những", "các", "list", "which", "many", "liệt", "kê", "show", "what", "share", "any",
    "danh",
)  # fmt: skip
"""Words of a list or a question: `những vụ đã xử lý xong` orders nothing."""
MEDIA = ("clip", "video", "ảnh", "hình", "footage", "snapshot", "recording", "picture", "still", "link", "file")
CASES = (
    "vụ", "dụ", "incident", "incidents", "case", "cases", "job", "jobs", "ticket", "ca", "alert", "alerts", "cảnh",
    "sự", "việc",
)  # fmt: skip
OTHER_ORDERS = frozenset(
    {"ack", "open", "reopen", "close", "resolve", "working", "step", "export", "approve", "reject", "progress", "grab"}
)
"""Acts beside which a unit or a level named is no order of its own."""
UPDATES = frozenset({"reopen", "close", "resolve", "working", "update", "step"})
BARE_ORDER = 5
"""Words up to which `đẩy lên trên đi` is an order that only lacks its object."""
SHORT_ORDER = 3
"""Words up to which an order needs no object: it is asked for."""


def asks(clause: Clause) -> bool:
    """Whether the words are those of a list or a question; `mấy anh` are people."""
    words = [word for word in ASKING if word != "mấy" or not _PEOPLE.search(clause.free.plain)]
    return clause.says(*words) or "?" in clause.free.typed


_PEOPLE = re.compile(r"(?<![0-9a-z])may (?:anh|chi|chu|em|ong|ban|dong chi|co|bac)(?![0-9a-z])")


def of_incident(clause: Clause) -> bool:
    """Whether an incident is named, pointed at, or was spoken of last."""
    memory = clause.memory
    return bool(
        clause.code("incident", "")
        or clause.says(*CASES)
        or clause.reading.has("reference")
        or clause.reading.has("ordinal")
        or memory.topic == "incident"
        or "incident" in clause.acts
    )


def wonders(clause: Clause) -> bool:
    """Whether a clause asks who or which did something, so that it orders nothing: `ai đóng vụ SV.12 vậy`."""
    tokens = clause.free.tokens
    first = tokens[0].plain if tokens else ""
    if first in {"ai", "who", "why", "when", "sao"} or clause.says("nào", "gì", "which"):
        return True
    if any(match.start() not in clause.placed for match in _WHERE.finditer(clause.free.typed)):
        return True
    ending = [token.plain for token in tokens if token.plain not in PARTICLES][-1:]
    return ending == ["chua"] and clause.says("chưa")


PARTICLES = frozenset(
    {"vay", "the", "nhi", "em", "anh", "chi", "ban", "a", "ha", "hen", "ta", "roi", "r", "oi", "day", "ay", "do", "nhe"}
)
"""Words behind the last that tells whether somebody asks."""


_WHERE = re.compile(r"(?<!\w)(?:mô(?! (?:tô|hình|tả))|răng)(?!\w)")
"""The words of the centre of the country for `đâu`, `nào` and `sao`, only with their marks and outside names."""


def speaks_of_many(clause: Clause) -> bool:
    """`closed cases`, `các vụ đã đóng`: what is listed, not ordered."""
    return clause.says(*MANY) and not clause.codes and not clause.reading.has("reference")


MANY = ("incidents", "cases", "jobs", "tickets", "alerts", "những")


def updates(clause: Clause) -> bool:
    """`update_incident`: a state to set, a step finished, an incident to close or open again."""
    wanted = clause.acts & UPDATES
    if wonders(clause):
        return False
    if (
        "done" in clause.acts
        and clause.code("incident", "")
        and not clause.says("chưa")
        and "?" not in clause.free.typed
    ):
        return True
    if "step" in clause.acts and "?" not in clause.free.typed and not clause.acts & {"procedure", "progress"}:
        return True
    if step_done_bare(clause):
        return True
    if clause.reading.has("reference") and "put" in clause.acts and clause.said("state") and not asks(clause):
        return True
    if clause.code("incident", "") and ("annotate" in clause.acts or ("put" in clause.acts and clause.said("state"))):
        return True
    if not wanted or clause.plan.metric != "count" or clause.plan.group_by:
        return False
    if clause.incident and not clause.code(""):
        return not (wanted <= {"resolve", "update"} and "progress" in clause.acts)
    if not of_incident(clause) or clause.situation.role == "citizen" or speaks_of_many(clause):
        return False
    return bool(wanted & {"reopen", "close"} and "?" not in clause.free.typed) or not asks(clause)


NOBODY = ("nobody", "nobody's", "noone", "anything", "everything", "unacknowledged", "chưa")


def acknowledges(clause: Clause) -> bool:
    """`acknowledge_alert`."""
    if wonders(clause) or clause.says(*NOBODY):
        return False
    if "ack" in clause.acts:
        return True
    if "mine" in clause.acts and of_incident(clause):
        return True
    focus = clause.code("incident", "") or (
        clause.memory.topic == "incident" and len(clause.free.tokens) <= SHORT_ORDER
    )
    return "grab" in clause.acts and bool(focus) and not clause.acts & (UPDATES | {"progress"})


def opens(clause: Clause) -> bool:
    """`open_incident`."""
    told = "open" in clause.acts or _OPENS_ONE.search(clause.free.plain)
    if not told or clause.code("incident") or "standing" in clause.acts or wonders(clause):
        return False
    first = clause.free.tokens[0].plain if clause.free.tokens else ""
    undecided = first in ASKED_FIRST or any(way in clause.free.plain for way in UNDECIDED)
    return not undecided and not _asks_whether(clause)


_OPENS_ONE = re.compile(
    r"(?<![0-9a-z])(?:open|create|raise|start|log|launch) (?:up )?(?:a|an|one|another) (?:[a-z]+[ -]){0,3}"
    r"(?:incident|case)(?![0-9a-z])"
)
"""`open a high-priority incident`: one is opened, whatever is said of it."""
UNDECIDED = ("khi nao", "the nao", "lam sao", "bao gio", "how do", "how to", "how many")
ASKED_FIRST = frozenset({"did", "has", "have", "was", "were", "is", "are"})
"""Words of those who ask about opening rather than order it."""


def _asks_whether(clause: Clause) -> bool:
    """`đã mở vụ chưa`, `có mở vụ nào không`: not the polite `được không`."""
    asked = clause.says("có") and clause.says("không", "hông", "ko") and "?" in clause.free.typed
    return asks_if_done(clause) or asked


def asks_if_done(clause: Clause) -> bool:
    """`đã điều CSGT chưa`, `did you send somebody?`: what has been done is asked, nothing is ordered."""
    tokens = clause.free.tokens
    ending = [token.plain for token in tokens[-2:]]
    begun = bool(tokens) and tokens[0].plain in ASKED_FIRST and "," not in clause.free.typed
    if tokens and tokens[0].plain == "have":  # `have the patrol attend` is an order
        begun = begun and len(tokens) > 1 and tokens[1].plain in {"you", "we", "they", "any", "anyone", "anybody"}
    return ("chua" in ending and clause.says("chưa")) or begun


REPORTING = re.compile(
    r" *bao cao (?:chi huy|thu truong|sep|lanh dao|dong chi|anh|chi)[ ,:]+(?!vu |su viec |cai |no |viec )"
)
"""How one who is on duty begins to speak: nothing is handed up by that."""


def escalates(clause: Clause) -> bool:
    """`escalate_incident`: handed up, or a level named beside an incident."""
    if clause.acts & {"standing", "step"} or wonders(clause):
        return False
    if REPORTING.match(clause.free.plain) and not clause.code("incident", "") and clause.plan.has_filters():
        return False
    spoken = [match for match in clause.found("level") if not match.typo]
    lifted = bool(spoken and clause.code("incident", "")) and not asks(clause) and not clause.unit_names
    if "escalate" in clause.acts and len(clause.free.tokens) <= BARE_ORDER and not clause.plan.has_filters():
        return not asks(clause)
    return (lifted and not clause.acts & (OTHER_ORDERS | {"dispatch"})) or (
        "escalate" in clause.acts and bool(clause.said("level") or of_incident(clause))
    )


def dispatches(clause: Clause) -> bool:
    """`dispatch_unit`: somebody sent, handed a matter, or a unit named beside an incident."""
    if asks_if_done(clause):
        return False
    if _of_media(clause) and not clause.unit_names:
        return False
    if "move" in clause.acts and not clause.unit_names and clause.says("camera", "cam", "ptz", "preset", "home"):
        return False
    first = clause.free.tokens[0].plain if clause.free.tokens else ""
    if first in {"ai", "who"} or (wonders(clause) and clause.code("incident", "")):
        return False
    kinds = clause.unit_names or clause.said("unitkind")
    if TOLD_DONE.search(clause.free.plain) and clause.says("đã", "vừa", "mới") and not clause.acts & {"dispatch"}:
        return False
    if kinds and _hands_over(clause):
        return True
    if "dispatch" in clause.acts:
        return bool(kinds or "give" not in clause.acts)
    if kinds and clause.code("incident", "") and not clause.acts & OTHER_ORDERS and not asks(clause):
        return True
    if kinds and clause.memory.last == "dispatch_unit" and len(clause.free.tokens) <= BARE_ORDER:
        return clause.says(*MORE) and not asks(clause)
    timed = clause.plan.time_from is not None and not clause.plan.at_present
    return bool(kinds and "motion" in clause.acts and "assist" in clause.acts and not timed)


TOLD_DONE = re.compile(r"(?<![0-9a-z])(?:da|vua|moi) (?:bao|goi|keu|nhan|alo|thong bao)(?![0-9a-z])")
"""`đã báo PC07 rồi`: news, no order."""


def _of_media(clause: Clause) -> bool:
    """Whether pictures or recordings are spoken of; the `anh` of `anh em` in a text with marks is no `ảnh`."""
    marked = any(not token.bare for token in clause.free.tokens)
    return clause.says(*(word for word in MEDIA if word != "ảnh")) or any(
        token.typed.casefold() == "ảnh" or (token.plain == "anh" and token.bare and not marked)
        for token in clause.free.tokens
    )


def _hands_over(clause: Clause) -> bool:
    """`giao đội môi trường xử lý`, `give it to the traffic police`: an order, not whose the cases are."""
    first = [token.plain for token in clause.free.tokens[:2]]
    return ("giao" in first or "give" in first) and not asks(clause) and not clause.says("vụ", "việc", "cases", "jobs")


MORE = ("nữa", "thêm", "luôn", "cả", "also", "too", "well", "another")
"""Words that send another unit where one was just sent: `115 nữa`."""
CAMERA_READING = frozenset({"list_cameras", "camera_status", "get_snapshot"})
BLOCKING = frozenset(
    {"watch", "export", "identity", "audit", "submit", "info", "open", "close", "reopen", "resolve", "escalate", "ack"}
    | {"approve", "reject", "procedure", "who", "briefing", "step", "update", "outcome", "verify", "working"}
)
"""Acts beside which a clause that speaks of cameras is no mere question about them."""
CAMERA_EVENTS = frozenset({"camera_moved", "camera_covered", "camera_offline", "image_degraded"})


def reads_cameras(clause: Clause) -> bool:
    """Whether a clause asks after cameras themselves, so that what it says of turning or handling orders nothing."""
    plan = clause.plan
    held = clause.acts & BLOCKING
    if names_preset(clause):
        return False
    if held == {"identity"} and plan.intent == "list_cameras" and plan.owner and not plan.plate:
        return True
    if clause.codes or held or clause.situation.role == "citizen":
        return False
    named = plan.camera_ids or plan.camera_options or plan.camera_that or speaks_of_cameras(clause.reading)
    if clause.acts & {"standing", "incident"} and not speaks_of_cameras(clause.reading):
        return False
    if "progress" in clause.acts and plan.event_types and clause.says(*CASES):
        return False
    if "progress" in clause.acts and not named and clause.memory.topic != "camera":
        return False
    if set(plan.event_types) & CAMERA_EVENTS:
        return degrees_in(measured(clause)) is None
    if plan.intent not in CAMERA_READING:
        return False
    if plan.intent == "get_snapshot":
        there = plan.camera_ids or plan.camera_options
        return bool(there) and not clause.acts & {"standing", "incident", "report", "move"}
    ordered = "move" in clause.acts and not (plan.kind == "ptz" and asks(clause))
    return (
        not ordered
        or (plan.intent == "camera_status" and not move(clause))
        or (plan.kind == "ptz" and degrees_in(measured(clause)) is None and direction(clause) is None)
    )


TO_PRESET = ("lùi", "về", "sang", "trở", "đổi", "chuyển", "switch", "go", "back")
"""Words that bring a camera to a preset: `cam Nhật Chiêu lùi ra toàn cảnh`."""


def moves(clause: Clause) -> bool:
    """`move_camera`: a turn, a zoom, a preset; a direction with degrees beside a camera."""
    plan, memory = clause.plan, clause.memory
    if "move" in clause.acts:
        return True
    camera = plan.camera_ids or plan.camera_options or plan.camera_that or speaks_of_cameras(clause.reading)
    if not (camera or memory.topic == "camera"):
        return False
    if camera and known_preset(clause) and clause.says(*TO_PRESET) and not asks(clause) and not plan.event_types:
        return True
    return "aim" in clause.acts or bool(direction(clause) and degrees_in(measured(clause)) is not None)
