"""Arguments of the identity tools and of the evidence export: whose, for which case, what for, which fields."""

from __future__ import annotations

import re
from typing import Any

from matpho_agent.language.lexicon import lexicon_of
from matpho_agent.language.tokens import read_text
from matpho_agent.planner.acts import longest
from matpho_agent.planner.clause import Clause
from matpho_contracts.text import words
from matpho_platform.identity.grant import SAME_PURPOSES

_SPLIT = re.compile(r"\s*(?:,|/|;|\+|&|\bvà\b|\bva\b|\bvới\b|\bvoi\b|\bcùng\b|\band\b)\s*", re.IGNORECASE)
_PERSON = re.compile(r"[^\W\d_]+(?:\s+[^\W\d_]+){1,5}")
_NAME_CUE = re.compile(
    r"(?:cong dan|ho ten|ho va ten|ten la|ten|ong|ba|anh|chi|nguoi|citizen|named|name|mr|mrs|ms|of|cho)(?: la"
    r"| is)? ?:? ?$"
)
MAX_FIELD_WORDS = 5


def case_number(clause: Clause) -> dict[str, Any]:
    """The case: a code said to be one, or the only code that nothing else claims."""
    code = clause.code("case")
    if code is None:
        other = [c.text for c in clause.codes if c.kind in {"", "incident"} and any(ch.isdigit() for ch in c.text)]
        code = other[0] if len(other) == 1 and clause.code("") else None
    if code is None and _SAME_CASE.search(clause.text.plain):
        code = clause.memory.case_number
    return {"case_number": code} if code else {}


_SAME_CASE = re.compile(
    r"(?<![0-9a-z])(?:(?:cung|van|theo|cho|trong|vao|van la) )?(?:(?:so )?(?:ho so|vu an|chuyen an)"
    r" (?:do|nay|ay|day|tren|vua roi|vua neu|luc nay|cu|o tren|noi tren)"
    r"|(?:cung|van) (?:so )?(?:ho so|hs|chuyen an|vu an)"
    r"|(?:that|this|the same|same|said) (?:case|file)(?: number)?)(?![0-9a-z])"
)
"""The case named before is pointed at."""


def request_check(clause: Clause) -> dict[str, Any]:
    """`request_identity_check`: subject, case, purpose, fields."""
    found: dict[str, Any] = case_number(clause)
    subject = _subject(clause)
    if subject:
        found["subject"] = subject
    purpose = clause.pieces.get("purpose") or _purpose(clause)
    if purpose:
        found["purpose"] = purpose
    fields = _fields(clause)
    if fields:
        found["fields"] = fields
    return found


def _purpose(clause: Clause) -> str | None:
    """A purpose that nothing announces: a piece between commas that is one of those that agencies have."""
    known = {" ".join(words(way)) for ways in SAME_PURPOSES for way in ways}
    return next((part.strip() for part in clause.free.typed.split(",") if " ".join(words(part)) in known), None)


def _subject(clause: Clause) -> dict[str, str]:
    found = clause.reading.identifiers
    if found.citizen_id or found.birth:
        name = _name(clause)
        parts = {"citizen_id": found.citizen_id, "name": name, "date_of_birth": found.birth}
        return {key: value for key, value in parts.items() if value}
    return {"plate": clause.plan.plate} if clause.plan.plate else {}


def _name(clause: Clause) -> str | None:
    """The capitalised words beside the citizen's number: `CCCD 0…, Lê Thị Giả, sinh …`."""
    text = clause.free
    best: tuple[int, str] | None = None
    anchor = re.search(r"\d{12}|\d{3}[ .]\d{3}[ .]\d{3}[ .]\d{3}", text.plain)
    place = anchor.start() if anchor else 0
    for match in re.finditer(r"(?:[^\W\d_]+)(?:[ ]+[^\W\d_]+){0,6}", text.typed):
        for name, start in _capitals(match[0], match.start()):
            cued = _NAME_CUE.search(text.plain[:start]) is not None
            score = abs(start - place) - (60 if cued else 0)
            if best is None or score < best[0]:
                best = (score, name)
    return best[1] if best else None


def _capitals(run: str, offset: int) -> list[tuple[str, int]]:
    """Stretches of two to six capitalised words."""
    found: list[tuple[str, int]] = []
    words: list[str] = []
    start = position = offset
    for part in re.split(r"( +)", f"{run} "):
        if (
            part.strip()
            and part[:1].isupper()
            and not (part.isupper() and len(part) > 1 and read_text(part).plain in CODES)
        ):
            start = position if not words else start
            words.append(part)
        elif part.strip() or not part:
            if 2 <= len(words) <= 6:
                found.append((" ".join(words), start))
            words = []
        position += len(part)
    if 2 <= len(words) <= 6:
        found.append((" ".join(words), start))
    return found


CODES = frozenset({"cccd", "cmnd", "cmt", "hs", "id", "dob"})


def _fields(clause: Clause) -> list[str]:
    """Fields behind `cần`, `trường`, `fields`; else those named besides the owner that is asked about."""
    said = clause.pieces.get("fields")
    if said:
        known = [_field(part) for part in _SPLIT.split(said) if part.strip()]
        return list(dict.fromkeys(name for name in known if name))
    named = list(dict.fromkeys(clause.said("field")))
    owner = clause.plan.plate or clause.says("xe", "owner", "keeper", "vehicle")
    if named[1:] and named[0] != "chủ xe" and owner:
        return [name for name in named if name != "chủ xe"]
    return named or (_of_owner(clause) if owner else [])


def _of_owner(clause: Clause) -> list[str]:
    """What is asked of a vehicle where no field is named: whose it is."""
    return ["chủ xe"] if clause.acts & {"identity"} and clause.plan.plate else []


def _field(part: str) -> str | None:
    tokens = read_text(part).tokens
    known = longest(lexicon_of("field").exact(tokens))
    if known:
        return known[0].value
    return part.strip(" .:") if 0 < len(tokens) <= MAX_FIELD_WORDS else None


def decide(clause: Clause) -> dict[str, Any]:
    """`decide_identity_check`: which, approve or reject, and why."""
    found: dict[str, Any] = request_id(clause)
    if clause.acts & {"approve", "reject"}:
        found["decision"] = "reject" if _rejected(clause) or _denied(clause) else "approve"
    elif clause.acts & {"allow", "return"}:
        found["decision"] = "reject" if "return" in clause.acts else "approve"
    if clause.pieces.get("reason"):
        found["reason"] = clause.pieces["reason"]
    return found


def _rejected(clause: Clause) -> bool:
    """Whether the wish is a no; `bác` beside a word of approval is who is spoken to: `bác ơi duyệt giúp`."""
    if "approve" not in clause.acts:
        return True
    tokens = clause.free.tokens
    rejections = [match for match in clause.found("act") if match.value == "reject"]
    return any(match.length > 1 or tokens[match.start].plain != "bac" for match in rejections)


def _denied(clause: Clause) -> bool:
    """Whether a `không` stands right before the word of approval."""
    approvals = [match for match in clause.found("act") if match.value == "approve"]
    before = [clause.free.tokens[match.start - 1].plain for match in approvals if match.start]
    return any(word in DENIALS for word in before)


DENIALS = frozenset({"khong", "ko", "chua", "dung", "not", "dont", "don't", "never", "k", "hong"})


def request_id(clause: Clause) -> dict[str, Any]:
    """The request's code, or any code that stands for no other thing."""
    code = clause.code("request", "")
    return {"request_id": code} if code else {}


_NO_CASE = re.compile(
    r"(?<![0-9a-z])(?:khong|chua|ko|no|without|chang) (?:co |a |any |thuoc )?(?:so )?(?:ho so|hs|case|file)"
)


def export(clause: Clause) -> dict[str, Any]:
    """`export_evidence`: case and purpose, the case of the talk where none is said; the events are found elsewhere."""
    found: dict[str, Any] = case_number(clause)
    if not found and clause.memory.case_number and not _NO_CASE.search(clause.text.plain):
        found["case_number"] = clause.memory.case_number
    if clause.reading.identifiers.event_ids:
        found["event_ids"] = list(clause.reading.identifiers.event_ids)
    if clause.pieces.get("purpose"):
        found["purpose"] = clause.pieces["purpose"]
    return found
