"""Whether a clause reports trouble, asks after a report, or asks what citizens ask: numbers, hours, rights, cameras."""

from __future__ import annotations

import re

from matpho_agent.language.lexicon import lexicon_of
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.intents import CAMERA_WORDS

LONG_TEXT = 10
"""Words from which on a citizen who speaks of a report tells one."""
TOLD = 7
"""Words from which on a citizen who speaks of trouble tells of it."""
MINE = ("tôi", "em", "tui", "mình", "my", "me", "cháu", "con", "i")
HOW = (
    "bao lau",
    "the nao",
    "khi nao",
    "lam sao",
    "ra sao",
    "how ",
    "when ",
    "o dau thi",
    "mat may",
    "may ngay moi",
    "may ngay thi",
    "trong may ngay",
    "may bua moi",
    "may hom moi",
    "bao nhieu ngay",
    "bao gio",
    "toi dau",
    "o dau",
)
LOOKING = frozenset({"tim", "kiem", "xem", "coi", "show", "find", "see", "list", "liet", "view", "search", "any"})
"""Bare words at the head of a clause that looks for something rather than telling it."""
COUNTING = ("bao nhieu", "may vu", "how many", "thong ke", "number of", "ty le")
PUZZLED = (
    "đâu",
    "gì",
    "sao",
    "ai",
    "nào",
    "mấy",
    "không",
    "hông",
    "what",
    "where",
    "how",
    "who",
    "when",
    "why",
    "which",
)
_MEASURED = re.compile(
    r"(?<![a-z])(?:may|bao nhieu|chung nao|luc nao|the nao) (?:[a-z]+ ){0,3}(?:thi|moi|la|den)(?![a-z])"
)
"""`ngập mấy phân thì cấm xe` asks after a rule."""
HEAD = 4


def submits(clause: Clause) -> bool:
    """`submit_feedback`: a report to be filed, or a citizen who tells of trouble."""
    citizen = clause.situation.role == "citizen"
    if citizen and clause.code("report") and not clause.quotes:
        return False
    tells = citizen and "report" in clause.acts and len(clause.free.tokens) >= LONG_TEXT
    if tells and not clause.codes and not clause.acts & {"progress", "info"} and not _questions(clause):
        return True
    if clause.quotes and "enter" in clause.acts:
        return True
    if clause.code("incident") and not citizen and "report" not in clause.acts:
        return bool(clause.quotes) and "submit" in clause.acts
    if citizen and not clause.quotes:
        return _tells(clause)
    return "submit" in clause.acts and not ("info" in clause.acts and not clause.quotes)


def _tells(clause: Clause) -> bool:
    """Whether a citizen tells of something, or says that there is something to tell."""
    if _questions(clause):
        return "submit" in clause.acts and ":" in clause.free.typed
    if "tell" in clause.acts:
        return True
    if "submit" in clause.acts:
        return not clause.acts & {"info", "curious"} or _troubled(clause)
    return _troubled(clause) and (len(clause.free.tokens) >= TOLD or "enter" in clause.acts)


def _troubled(clause: Clause) -> bool:
    """Whether a clause speaks of what reports are about, and neither looks for nor counts nor asks anything."""
    if clause.codes or clause.acts & {"procedure", "info", "curious"} or clause.plan.metric != "count":
        return False
    tokens, plain = clause.free.tokens, clause.free.plain
    if any(word in plain for word in COUNTING) or any(token.plain in LOOKING for token in tokens[:HEAD]):
        return False
    asking = clause.free.typed.rstrip().endswith("?") or (tokens and tokens[-1].plain in {"khong", "hong", "chua"})
    return bool(lexicon_of("category").exact(clause.text.tokens)) and not (asking and "enter" not in clause.acts)


def _questions(clause: Clause) -> bool:
    """Whether a clause asks how or how long, so that it tells of no trouble."""
    polite = clause.says("can", "could", "please", "giúp", "giùm")
    if any(way in clause.free.plain for way in HOW) or _MEASURED.search(clause.free.plain):
        return True
    return "?" in clause.free.typed and not polite


def informs(clause: Clause) -> bool:
    """`public_information`."""
    if clause.situation.role == "citizen" and clause.acts & {"submit", "report"} and _questions(clause):
        return not clause.codes and "progress" not in clause.acts
    if clause.situation.role == "citizen" and "curious" in clause.acts and not clause.codes:
        return True
    return "info" in clause.acts and not clause.codes


def asks_of_report(clause: Clause) -> bool:
    """`feedback_status`: a report's code, or one's own report and how far it has come."""
    if clause.code("report"):
        return True
    if clause.situation.role == "citizen" and len(clause.free.tokens) >= LONG_TEXT and "progress" not in clause.acts:
        return False
    if "report" not in clause.acts or "info" in clause.acts:
        return False
    return "progress" in clause.acts or bool(clause.memory.report_code) or clause.says(*MINE)


def wonders_at_large(clause: Clause) -> bool:
    """Whether a citizen asks something that is about no event, camera or figure: the public information answers."""
    plan = clause.plan
    if clause.situation.role != "citizen" or clause.memory.pending is not None or clause.codes or plan.talk:
        return False
    pictured = plan.event_types or plan.objects or plan.plate or plan.colors or plan.camera_ids or plan.areas
    if pictured or plan.event or plan.metric != "count" or clause.says(*CAMERA_WORDS, "clip", "video", "vụ"):
        return False
    if any(token.plain in LOOKING for token in clause.free.tokens):
        return False
    return plan.follow is None and ("?" in clause.free.typed or clause.says(*PUZZLED))
