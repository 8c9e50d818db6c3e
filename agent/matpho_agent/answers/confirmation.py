"""What a person is asked to agree to: the lines that the tool wrote from the arguments that will run, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from matpho_agent.answers.calls import Reader
from matpho_agent.answers.facts import pick
from matpho_agent.answers.talk import TOOL_NAMES
from matpho_contracts.times import VIETNAM

SOURCES = {
    "person": ("", ""),
    "center": (" (hệ thống điền)", " (filled in by the system)"),
    "report": (" (trích lời người khác)", " (quoted from somebody else)"),
}


def confirmation(proposal: Mapping[str, Any], reader: Reader) -> str:
    """The proposal in lines, and how to answer."""
    language = reader.language
    vi, en = TOOL_NAMES.get(proposal["tool"], (proposal["tool"], proposal["tool"]))
    head = pick(language, f"Sắp thực hiện: {vi}. Chưa có gì xảy ra.", f"About to run: {en}. Nothing has happened yet.")
    lines = [_line(row, language) for row in proposal["rows"]]
    until = datetime.fromisoformat(proposal["expires_at"]).astimezone(VIETNAM).strftime("%H:%M")
    tail = pick(
        language,
        f"Đồng ý thực hiện không? («có», «không», hoặc nói điều cần sửa; chờ đến {until})",
        f"Shall I run it? (“yes”, “no”, or say what to change; waits until {until})",
    )
    return "\n".join([head, *lines, tail])


def _line(row: Mapping[str, Any], language: str) -> str:
    label, value = (row[f"label_{language}"], row[f"value_{language}"])
    source = SOURCES[row["source"]][0 if language == "vi" else 1]
    return f"- {label}: {value}{source}"
