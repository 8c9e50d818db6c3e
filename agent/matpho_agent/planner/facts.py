"""A fact asked of what was spoken of (`biển số mấy`, `từ khi nào`), and which row of the last list it is asked of."""

from __future__ import annotations

import re

from matpho_agent.language.tokens import agrees, read_text
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.lookups import fitting
from matpho_agent.planner.merging import merged
from matpho_agent.planner.plan import EventReference, Memory, QueryPlan, Remembered
from matpho_agent.planner.telling import told_by_words

LEADS = tuple(
    read_text(word).tokens[0]
    for word in ("cái", "vụ", "con", "chiếc", "ca", "thằng", "đứa", "dụ", "the", "that", "ông", "bà", "sự", "việc")
)
"""Words that a clause begins with which names one thing."""
LEAD_WITHIN = 3
MAX_FACT_WORDS = 14
FACT = re.compile(
    r"(?<![0-9a-z])(?:(?:bien|bien so|bang so|bsx|bks|ban so)(?: xe| kiem soat| so)*(?: (?:la|gi|may|bao nhieu"
    r"|sao|nao|cua|chiec|con"
    r"|do|no)|$|[?.,])|bien (?:gi|may|bao nhieu)|bien xe|mau (?:gi|chi|nao|sac)|ao mau|mac ao|plates?|number plates?"
    r"|licen[cs]e|(?:what|which) colou?r|dressed|luc may gio|may gio|luc nao|o cho nao|o dau|o mo|cho nao"
    r"|la vu (?:gi|nao)|la gi"
    r"|la ai|ai vay|chuyen gi|the nao|ra sao|sao roi|what time|what happened|what is it|where (?:was|is|did)"
    r"|when (?:was|did)"
    r"|ghi gi|noi dung|bien (?:so )?(?:do|day|ay|kia) (?:la|gi|sao|nao|may))(?![0-9a-z])"
)
SINCE = re.compile(
    r"(?<![0-9a-z])(?:(?:tu|hoi|khi|luc|bao|tu hoi|tu khi|tu luc|tu bao) (?:nao|gio|hoi nao|khi nao|bao gio"
    r"|luc nao)|bao lau|since when"
    r"|how long|may gio|tat|hong|hu|chet|rot|die|ngom|tit|sap"
    r"|on chua|on khong|con chay|con song|working|alive|dead|status|tinh trang|mo"
    r"|nhoe|ro khong)"
    r"(?![0-9a-z])"
)
PICTURE = re.compile(r"(?<![0-9a-z])(?:hinh|anh hien|anh chup|tam anh|picture|photo|still|snapshot)(?![0-9a-z])")


def led(clause: Clause) -> bool:
    """Whether a clause begins with a word that leads in one thing: `cái ở ga`, `the bus`."""
    if clause.plan.follow == "replace":
        return False
    return any(agrees(token, lead) for token in clause.free.tokens[:LEAD_WITHIN] for lead in LEADS)


def camera_tool(clause: Clause) -> str:
    """What a camera spoken of is asked for: its picture, else how it is."""
    return (
        "get_snapshot" if PICTURE.search(clause.free.plain) or clause.memory.last == "get_snapshot" else "camera_status"
    )


def focus_of(memory: Memory) -> Remembered | None:
    """The one event spoken of last, as far as the talk remembers its row."""
    if memory.event_id:
        return next((row for row in memory.results if row.id == memory.event_id), None)
    return memory.results[0] if len(memory.results) == 1 else None


def asks_fact(plan: QueryPlan, clause: Clause) -> bool:
    """Whether a short clause that names nothing else asks a fact of the thing spoken of."""
    if plan.event_types or plan.time_from or plan.areas or plan.camera_ids or plan.plate or clause.codes:
        return False
    if len(clause.free.tokens) > MAX_FACT_WORDS:
        return False
    if clause.memory.topic == "camera":
        asked = SINCE.search(_less_endings(clause)) or PICTURE.search(clause.free.plain)
        return bool(clause.memory.camera_id and asked) and not clause.says("nào", "mô", "which", "any", "những", "các")
    return bool(FACT.search(clause.free.plain)) and clause.memory.topic in {"event", "incident"}


def _less_endings(clause: Clause) -> str:
    """The bare text without a southern `hông`, which looks like `hỏng`."""
    plain = clause.free.plain
    for token in clause.free.tokens:
        if token.plain == "hong" and not token.bare and token.typed.lower() != "hỏng":
            plain = plain[: token.start] + " " * (token.end - token.start) + plain[token.end :]
    return plain


def fact(plan: QueryPlan, clause: Clause) -> QueryPlan | None:
    """A fact of the one thing spoken of; of several events the list again, which tells it of each."""
    memory = clause.memory
    if memory.topic == "camera":
        plan.intent = camera_tool(clause) if PICTURE.search(clause.free.plain) else "camera_status"
        return plan
    if memory.topic == "incident":
        plan.intent = "get_incident" if memory.incident_id or len(memory.incidents) == 1 else ""
        return plan if plan.intent else None
    fit = _fitting_rows(plan, clause)
    if focus_of(memory) is not None or memory.event_id or len(fit) == 1:
        if memory.event_id and len(fit) != 1:  # what is asked of it is no description of another
            return QueryPlan(intent="get_event", event=EventReference(event_id=memory.event_id))
        if len(fit) == 1:
            plan.event = EventReference(event_id=fit[0].id)
        plan.intent = "get_event"
        return plan
    before = memory.plan
    if before is None or before.intent not in {"search_events", "event_statistics"} or not memory.results:
        return None
    plan.intent, plan.query = "search_events", ""
    return merged(plan, before, clause)


def _fitting_rows(plan: QueryPlan, clause: Clause) -> list[Remembered]:
    """The rows of the last list that the words describe: by looks, by place, or by what their captions say."""
    rows = clause.memory.results
    if plan.objects or plan.colors or (plan.camera_options and led(clause)):
        return fitting(rows, plan, clause.situation)
    return told_by_words(rows, clause) if led(clause) else []
