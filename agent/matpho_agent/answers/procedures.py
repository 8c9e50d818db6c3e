"""Answers about procedures: the passages that answer, quoted with their source, and the steps with their times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matpho_agent.answers.calls import Done, Reader
from matpho_agent.answers.facts import pick
from matpho_platform.access.principal import Role

SHOWN = 10
PASSAGES = 3
QUOTED_CHARS = 600
"""Of a procedure that fits a question as a whole, where no passage of it answers."""
ROLE_NAMES: Mapping[str, tuple[str, str]] = {
    "officer": ("cán bộ", "officer"),
    "investigator": ("điều tra viên", "investigator"),
    "commander": ("chỉ huy", "commander"),
    "leader": ("lãnh đạo", "leader"),
    "admin": ("quản trị", "administrator"),
}


def procedures(call: Done, reader: Reader) -> str:
    """The writer of `list_procedures`: passages quoted with their procedure; without a question the titles."""
    data, language = call.result.data, reader.language
    procedures, passages = data["procedures"], data["passages"]
    if not data["total"]:
        return pick(
            language,
            "Không có kết quả: không có quy trình nào khớp trong phạm vi bạn được xem.",
            "No results: no procedure that you may read matches.",
        )
    titles = {item["id"]: item["title"] for item in procedures}
    citizen = reader.principal.role is Role.CITIZEN
    if citizen:  # the steps are the staff's
        passages = [passage for passage in passages if passage["kind"] == "text"]
    if not passages and call.arguments.get("query") and procedures[0]["text"]:
        passages = [{"procedure_id": procedures[0]["id"], "kind": "text", "quote": _opening(procedures[0]["text"])}]
    if not passages:
        head = pick(language, f"Có {data['total']} quy trình:", f"{data['total']} procedures:")
        lines = [f"{number}. {item['title']} ({item['id']})" for number, item in enumerate(procedures[:SHOWN], 1)]
        rest = data["total"] - len(lines)
        more = [pick(language, f"… và {rest} quy trình nữa.", f"… and {rest} more.")] if rest > 0 else []
        return "\n".join([head, *lines, *more])
    lines = [_passage(passage, titles, language) for passage in passages[:PASSAGES]]
    if not citizen and procedures[0]["steps"]:
        lines.append(_steps(procedures[0], language))
    others = [f"{item['title']} ({item['id']})" for item in procedures[1:4]]
    if others:
        lines.append(pick(language, "Quy trình khác có liên quan: ", "Other procedures: ") + "; ".join(others))
    return "\n".join(lines)


def _opening(text: str) -> str:
    """Whole sentences from the beginning of a procedure's text."""
    if len(text) <= QUOTED_CHARS:
        return text
    cut = text.rfind(". ", 0, QUOTED_CHARS)
    return text[: cut + 1] if cut > 0 else f"{text[:QUOTED_CHARS]}…"


def _passage(passage: Mapping[str, Any], titles: Mapping[str, str], language: str) -> str:
    """The procedure's own words, and whose they are."""
    source = f"{titles[passage['procedure_id']]} ({passage['procedure_id']})"
    if passage["kind"] == "text":
        return f"«{passage['quote']}» — {source}"
    step = pick(language, "Bước", "Step")
    return f"{step} «{passage['quote']}»: {_within(passage, language)} — {source}"


def _steps(procedure: Mapping[str, Any], language: str) -> str:
    """All steps of a procedure on one line."""
    steps = [
        f"{number}. {step['name']} ({_within(step, language)})" for number, step in enumerate(procedure["steps"], 1)
    ]
    return pick(language, f"Các bước của {procedure['id']}: ", f"Steps of {procedure['id']}: ") + "; ".join(steps)


def _within(step: Mapping[str, Any], language: str) -> str:
    role, span = role_name(step["role"], language), _span(step["within_minutes"], language)
    return pick(language, f"{role}, trong {span}", f"{role}, within {span}")


def _span(minutes: int, language: str) -> str:
    """`3 phút`, `8 giờ`, `2 ngày`: the largest unit that leaves no rest."""
    if minutes >= 2880 and minutes % 1440 == 0:
        return pick(language, f"{minutes // 1440} ngày", f"{minutes // 1440} days")
    if minutes >= 120 and minutes % 60 == 0:
        return pick(language, f"{minutes // 60} giờ", f"{minutes // 60} hours")
    return pick(language, f"{minutes} phút", f"{minutes} minute{'' if minutes == 1 else 's'}")


def role_name(role: str, language: str) -> str:
    """A step's role in words; an unknown one as it is."""
    return pick(language, *ROLE_NAMES.get(role, (role, role)))
