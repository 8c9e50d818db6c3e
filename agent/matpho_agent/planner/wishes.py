"""Which tool a clause asks for beyond reading events and cameras: rules over what it wants done and what it names.

A rule that fires on words of its own is `sure`; a tool that a bare code suggests is not, and gives way to a question
that waits for just that code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matpho_agent.planner.clause import Clause
from matpho_agent.planner.drafts.cameras import degrees_in, direction
from matpho_agent.planner.intents import CAMERA_WORDS

ASKING = (
    "nào", "mấy", "nhiêu", "những", "các", "list", "which", "many", "liệt", "kê", "show", "what", "share", "any", "danh",
)  # fmt: skip
"""Words of a list or a question: `những vụ đã xử lý xong` orders nothing."""
MEDIA = ("clip", "video", "ảnh", "hình", "footage", "snapshot", "recording", "picture", "still", "link", "file")
CASES = ("vụ", "incident", "incidents", "case", "cases", "ca", "alert", "alerts", "cảnh", "sự", "việc")
OTHER_ORDERS = frozenset(
    {"ack", "open", "reopen", "close", "resolve", "working", "step", "export", "approve", "reject", "progress", "grab"}
)
"""Acts beside which a unit or a level named is no order of its own."""
UPDATES = frozenset({"reopen", "close", "resolve", "working", "update", "step"})
SHORT_ORDER = 3
"""Words up to which an order needs no object: it is asked for."""
LONG_TEXT = 10
"""Words from which on a citizen who speaks of a report tells one."""
MINE = ("tôi", "em", "tui", "mình", "my", "me", "cháu", "con", "i")


@dataclass(frozen=True, slots=True)
class Wish:
    """A tool, and whether the clause itself says so."""

    tool: str
    sure: bool = True


def find_wish(clause: Clause) -> Wish | None:
    """The first rule that holds; None where the clause wants nothing but events or cameras, or nothing at all."""
    for tool, holds in RULES:
        if holds(clause):
            return Wish(tool)
    return _by_code(clause)


def _by_code(clause: Clause) -> Wish | None:
    kinds = {code.kind for code in clause.codes}
    if "request" in kinds:
        return Wish("identity_check_result", sure=False)
    if "report" in kinds:
        return Wish("feedback_status", sure=False)
    if "procedure" in kinds:
        return Wish("list_procedures", sure=False)
    if "incident" in kinds:
        return Wish("get_incident", sure=False)
    if "" in kinds and not clause.plan.has_filters() and not clause.plan.intent:
        return Wish("feedback_status" if clause.situation.role == "citizen" else "get_incident", sure=False)
    return None


def _asks(clause: Clause) -> bool:
    return clause.says(*ASKING) or "?" in clause.free.typed


def _of_incident(clause: Clause) -> bool:
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


def _submit(clause: Clause) -> bool:
    tells = clause.situation.role == "citizen" and "report" in clause.acts and len(clause.free.tokens) >= LONG_TEXT
    if tells and not clause.codes and not clause.acts & {"progress", "info"} and not _questions(clause):
        return True
    if clause.quotes and "enter" in clause.acts:
        return True
    if clause.situation.role == "citizen" and _questions(clause) and not clause.quotes:
        return "submit" in clause.acts and ":" in clause.free.typed
    return "submit" in clause.acts and not ("info" in clause.acts and not clause.quotes)


def _questions(clause: Clause) -> bool:
    """Whether a clause asks how or how long, so that it tells of no trouble."""
    return "?" in clause.free.typed or any(way in clause.free.plain for way in HOW)


HOW = ("bao lau", "the nao", "khi nao", "lam sao", "ra sao", "how ", "when ", "o dau thi", "mat may")


def _watch(clause: Clause) -> bool:
    return "watch" in clause.acts and not clause.code("incident")


def _audit(clause: Clause) -> bool:
    if "audit" in clause.acts:
        return True
    done = clause.said("audited")
    if "login" in done and not clause.plan.event_types:
        return True
    if done and clause.says("ai", "who", "anyone", "anybody") and _asks_past(clause):
        return True
    own = clause.says("tôi", "mình", "em", "my") and "who" in clause.acts
    if "who" in clause.acts and not clause.plan.event_types:
        return bool(done or clause.people or own)
    tokens = clause.free.tokens
    named = [m for m in clause.people if any(token.plain in BY for token in tokens[max(0, m.start - 2) : m.start])]
    if done and clause.people and not clause.code("incident") and ("?" in clause.free.typed or _asks_whether(clause)):
        return True
    if done and clause.plan.time_from and clause.says("every", "mọi", "lần") and _asks_past(clause):
        return True
    return bool(done and named and (_asks(clause) or clause.says("every", "all", "mọi", "lần")))


def _asks_past(clause: Clause) -> bool:
    """Whether staff ask what was done, rather than what somebody in the street did."""
    plan = clause.plan
    if plan.event_types or plan.objects or plan.plate or clause.situation.role == "citizen":
        return False
    return plan.time_from is not None or bool(clause.code("request") and clause.says("ai", "who"))


def _asks_whether(clause: Clause) -> bool:
    """`có … không`."""
    return clause.says("có") and clause.says("không", "ko", "chưa")


BY = ("by", "of", "cua", "do", "from")


def _decide(clause: Clause) -> bool:
    asks = clause.free.typed.rstrip().endswith("?") and not clause.says("please", "giúp")
    if asks or clause.says("chưa") or clause.code("incident"):
        return False
    if clause.acts & {"allow", "return"} and clause.code("request") and "outcome" not in clause.acts:
        return True
    if not clause.acts & {"approve", "reject"}:
        return False
    about = clause.code("request", "") or clause.acts & {"identity", "verify"} or clause.memory.request_id
    return bool(about or clause.says("yêu", "phiếu", "request", "requests", "duyệt", "approve", "reject"))


def _result(clause: Clause) -> bool:
    if "outcome" not in clause.acts:
        return False
    return bool(clause.code("request", "") or clause.acts & {"identity", "verify"} or clause.memory.request_id)


def _identity(clause: Clause) -> bool:
    found = clause.reading.identifiers
    if "identity" in clause.acts:
        return "procedure" not in clause.acts and not (clause.code("request") and not found.plate)
    subject = bool(found.plate or found.citizen_id or found.birth)
    return subject and ("verify" in clause.acts or bool(clause.code("case") and clause.said("field")))


def _update(clause: Clause) -> bool:
    wanted = clause.acts & UPDATES
    if (
        "done" in clause.acts
        and clause.code("incident", "")
        and not clause.says("chưa")
        and "?" not in clause.free.typed
    ):
        return True
    if "put" in clause.acts and clause.code("incident", "") and clause.said("state"):
        return True
    if not wanted or clause.plan.metric != "count" or clause.plan.group_by:
        return False
    if clause.code("incident"):
        return not (wanted <= {"resolve", "update"} and "progress" in clause.acts)
    if not _of_incident(clause) or clause.situation.role == "citizen":
        return False
    return bool(wanted & {"reopen", "close"} and "?" not in clause.free.typed) or not _asks(clause)


def _acknowledge(clause: Clause) -> bool:
    if "ack" in clause.acts:
        return True
    return "grab" in clause.acts and bool(clause.code("incident", "")) and not clause.acts & (UPDATES | {"progress"})


def _open(clause: Clause) -> bool:
    return "open" in clause.acts and not clause.code("incident") and "standing" not in clause.acts


def _escalate(clause: Clause) -> bool:
    if clause.acts & {"standing", "step"}:
        return False
    spoken = [match for match in clause.found("level") if not match.typo]
    lifted = bool(spoken and clause.code("incident", "")) and not _asks(clause) and not clause.unit_names
    if "escalate" in clause.acts and len(clause.free.tokens) <= SHORT_ORDER:
        return True
    return (lifted and not clause.acts & (OTHER_ORDERS | {"dispatch"})) or (
        "escalate" in clause.acts and bool(clause.said("level") or _of_incident(clause))
    )


def _dispatch(clause: Clause) -> bool:
    if clause.says(*MEDIA) and not clause.unit_names:
        return False
    if "move" in clause.acts and not clause.unit_names and clause.says("camera", "cam", "ptz", "preset", "home"):
        return False
    kinds = clause.unit_names or clause.said("unitkind")
    if "dispatch" in clause.acts:
        return bool(kinds or "give" not in clause.acts)
    if kinds and clause.code("incident", "") and not clause.acts & OTHER_ORDERS and not _asks(clause):
        return True
    timed = clause.plan.time_from is not None and not clause.plan.at_present
    return bool(kinds and "motion" in clause.acts and "assist" in clause.acts and not timed)


def _move(clause: Clause) -> bool:
    plan, memory = clause.plan, clause.memory
    if "move" in clause.acts:
        return True
    camera = plan.camera_ids or plan.camera_options or plan.camera_that or clause.says(*CAMERA_WORDS)
    if not (camera or memory.topic == "camera"):
        return False
    return "aim" in clause.acts or bool(direction(clause) and degrees_in(clause.free.plain) is not None)


def _briefing(clause: Clause) -> bool:
    if "briefing" in clause.acts:
        return True
    return "summary" in clause.acts and not clause.plan.event_types and not clause.plan.objects


def _status(clause: Clause) -> bool:
    if clause.code("report"):
        return True
    if clause.situation.role == "citizen" and len(clause.free.tokens) >= LONG_TEXT and "progress" not in clause.acts:
        return False
    if "report" not in clause.acts or "info" in clause.acts:
        return False
    return "progress" in clause.acts or bool(clause.memory.report_code) or clause.says(*MINE)


def _information(clause: Clause) -> bool:
    if clause.situation.role == "citizen" and clause.acts & {"submit", "report"} and _questions(clause):
        return not clause.codes and "progress" not in clause.acts
    return "info" in clause.acts and not clause.codes


def _procedures(clause: Clause) -> bool:
    if "procedure" in clause.acts:
        return not clause.acts & {"open"}
    asks = "?" in clause.free.typed or clause.says(
        "gì", "nào", "sao", "bao", "mấy", "ai", "how", "what", "must", "should"
    )
    return "norm" in clause.acts and asks and clause.plan.time_from is None


def _statistics(clause: Clause) -> bool:
    plan = clause.plan
    if plan.metric != "count" or plan.forecast:
        return True
    if clause.says("tỷ", "tỉ", "percentage", "percent", "share", "proportion") and clause.said("state"):
        plan.metric = "resolved_share"
        return True
    counts = plan.intent == "event_statistics" and not clause.says("xem", "coi", "show", "liệt", "list", "những", "các")
    if counts and clause.acts & {"standing", "backlog"}:
        plan.metric = "open"
        return True
    return False


def _incident(clause: Clause) -> bool:
    plan = clause.plan
    if clause.acts & {"assigned", "priority"} and _asks(clause):
        return False
    pointed = (
        clause.reading.has("reference")
        or clause.reading.has("ordinal")
        or bool(plan.event_types or plan.areas or plan.camera_ids)
    )
    if "progress" in clause.acts:
        return bool(clause.code("incident", "") or pointed or clause.memory.topic in {"event", "incident"})
    return (
        "incident" in clause.acts and clause.reading.has("reference") and not clause.says("nào", "mấy", "những", "các")
    )


def _incidents(clause: Clause) -> bool:
    if "backlog" in clause.acts and not clause.plan.event_types:
        return True
    cases = clause.says("việc", "vụ", "incident", "incidents", "cases", "case", "ca")
    if "incident" in clause.acts and not clause.codes:
        return True
    return bool(cases and clause.acts & {"standing", "backlog", "assigned", "priority"} and not clause.codes)


Rule = tuple[str, Callable[[Clause], bool]]
RULES: tuple[Rule, ...] = (
    ("submit_feedback", _submit),
    ("create_watch", _watch),
    ("search_audit", _audit),
    ("decide_identity_check", _decide),
    ("identity_check_result", _result),
    ("request_identity_check", _identity),
    ("event_statistics", _statistics),
    ("daily_briefing", _briefing),
    ("list_procedures", _procedures),
    ("public_information", _information),
    ("export_evidence", lambda clause: "export" in clause.acts),
    ("feedback_status", _status),
    ("acknowledge_alert", _acknowledge),
    ("escalate_incident", _escalate),
    ("update_incident", _update),
    ("open_incident", _open),
    ("dispatch_unit", _dispatch),
    ("move_camera", _move),
    ("get_incident", _incident),
    ("list_incidents", _incidents),
)
"""The weightiest first."""
