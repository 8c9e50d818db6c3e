"""Answers in figures: the total, the trend, the table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from matpho_agent.answers.facts import (
    area_name,
    camera_name,
    filter_words,
    pick,
    severity_name,
    type_name,
    type_names,
)
from matpho_agent.language.times import describe
from matpho_platform.access.principal import Principal, Role
from matpho_tools.city import City

ROWS = 12
ROWS_FOR_LEADERS = 5


def statistics(
    arguments: Mapping[str, Any], data: Mapping[str, Any], principal: Principal, language: str, city: City
) -> str:
    """A sentence with the figure and its trend, then the largest rows (time groups in order of time)."""
    table = data["table"]
    what = type_names(arguments.get("event_types") or [], language)
    begin, end = arguments.get("time_from"), arguments.get("time_to")
    span = describe(
        datetime.fromisoformat(begin) if begin else None, datetime.fromisoformat(end) if end else None, language
    )
    where = filter_words(arguments, city, language)
    context = ", ".join(part for part in (where, span) if part)
    figure = _figure(table["total"])
    unit = pick(
        language, " vụ mỗi giờ" if table["metric"] == "rate" else " vụ", " an hour" if table["metric"] == "rate" else ""
    )
    head = pick(language, f"{what.capitalize()}: {figure}{unit}", f"{what.capitalize()}: {figure}{unit}")
    head += f" ({context})" if context else ""
    trend = _trend(table["total"], table.get("compared_total"), language)
    rows = _rows(table, principal, language, city)
    return "\n".join([f"{head}.{trend}", *rows])


def _figure(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"


def _trend(value: float, before: float | None, language: str) -> str:
    if before is None:
        return ""
    if before == value:
        return pick(
            language, f" Không đổi so với kỳ so sánh ({_figure(before)}).", f" Unchanged from {_figure(before)}."
        )
    share = f"{abs(value - before) / before * 100:.0f}%" if before else ""
    up = value > before
    vi = f" {'Tăng' if up else 'Giảm'} {share + ' ' if share else ''}so với kỳ so sánh ({_figure(before)})."
    en = f" {'Up' if up else 'Down'} {share + ' ' if share else ''}from {_figure(before)} in the compared period."
    return pick(language, vi, en)


def _rows(table: Mapping[str, Any], principal: Principal, language: str, city: City) -> list[str]:
    groups, rows = table["group_by"], list(table["rows"])
    if not groups:
        return []
    timed = groups[0] in {"hour", "day", "week"}
    limit = ROWS_FOR_LEADERS if principal.role is Role.LEADER and not timed else ROWS if not timed else 31
    if not timed:
        rows.sort(key=lambda row: -row["value"])
    lines = []
    for row in rows[:limit]:
        names = [_key(group, key, language, city) for group, key in zip(groups, row["key"], strict=True)]
        compared = row.get("compared")
        before = (
            pick(language, f" (trước: {_figure(compared)})", f" (before: {_figure(compared)})")
            if compared is not None
            else ""
        )
        lines.append(f"- {', '.join(names)}: {_figure(row['value'])}{before}")
    if len(rows) > limit:
        lines.append(pick(language, f"… và {len(rows) - limit} dòng nữa.", f"… and {len(rows) - limit} more rows."))
    return lines


def _key(group: str, key: str, language: str, city: City) -> str:
    if group == "area":
        return area_name(city, key)
    if group == "camera":
        return camera_name(city, key)
    if group == "event_type":
        return type_name(key, language)
    if group == "severity":
        return severity_name(key, language)
    return key
