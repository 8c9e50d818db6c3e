"""The audit log in lines: when, who, what, about what, and how it ended; a decision and its outcome are one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matpho_agent.answers.audit_words import action_name, arguments_said
from matpho_agent.answers.calls import Done, Reader, Writer
from matpho_agent.answers.facts import moment, pick
from matpho_platform.access.principal import Role
from matpho_tools.wording import ROLE_NAMES

SHOWN = 15
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "answered": ("đã thực hiện", "done"),
    "confirm": ("chờ xác nhận", "waited for a yes"),
    "clarify": ("hỏi lại", "asked back"),
    "denied": ("bị từ chối quyền", "denied"),
    "refused": ("bị từ chối", "refused"),
    "failed": ("không thực hiện được", "failed"),
    "cancelled": ("đã hủy", "cancelled"),
}


def _found(call: Done, reader: Reader) -> str:
    data, language = call.result.data, reader.language
    whose = pick(language, " (chỉ thao tác của chính bạn)", " (your own actions only)") if data["own"] else ""
    if not data["total"]:
        return pick(
            language,
            f"Không có kết quả: nhật ký không có mục nào khớp{whose}.",
            f"No results: no entry of the log matches{whose}.",
        )
    lines = [_line(line, reader) for line in _merged(data["lines"])[:SHOWN]]
    head = pick(language, f"Nhật ký: {data['total']} mục khớp{whose}:", f"The log has {data['total']} entries{whose}:")
    rest = data["total"] - len(data["lines"])
    if rest > 0:
        lines.append(pick(language, f"… và {rest} mục cũ hơn.", f"… and {rest} older entries."))
    return "\n".join([head, *lines])


def _merged(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries newest first, without the decisions whose outcome is among them."""
    ended = {line["refers_to"] for line in lines if line["refers_to"] is not None}
    return [line for line in lines if line["log_index"] not in ended]


def _line(line: Mapping[str, Any], reader: Reader) -> str:
    language = reader.language
    role = ROLE_NAMES[Role(line["role"])] if line["role"] in set(Role) else (line["role"], line["role"])
    named = line["user_name"] not in ("", line["user_id"])
    who = f"{line['user_name']} ({line['user_id']})" if named else line["user_id"]
    outcome = pick(language, *OUTCOMES.get(line["outcome"], (line["outcome"], line["outcome"])))
    if line["rule"] and line["outcome"] in ("denied", "refused"):
        outcome += f" [{line['rule']}]"
    parts = [
        f"#{line['log_index']} {moment(line['at'], reader.now, language)}",
        f"{who}, {pick(language, *role)}",
        action_name(line["action"], language),
        arguments_said(line["arguments"], reader.city, reader.now, language),
        ", ".join(line["result_ids"][:3]),
        pick(language, f"hồ sơ {line['case_number']}", f"case {line['case_number']}") if line["case_number"] else "",
        outcome,
    ]
    return " · ".join(part for part in parts if part)


WRITERS: dict[str, Writer] = {"search_audit": _found}
