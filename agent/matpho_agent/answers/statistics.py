"""Answers in figures: the total, the trend, the table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from matpho_agent.answers.facts import (
    area_name,
    camera_name,
    filter_words,
    period_name,
    pick,
    severity_name,
    type_name,
    type_names,
)
from matpho_agent.language.times import describe
from matpho_platform.access.principal import Principal, Role
from matpho_tools.city import City

ROWS = 12
INCIDENT_FIGURES = {
    "mean_response_minutes": ("Thời gian phản hồi trung bình", "Mean response time"),
    "open": ("Vụ việc đang mở", "Open incidents"),
    "resolved_share": ("Tỷ lệ vụ việc đã giải quyết", "Share of incidents resolved"),
}
ROWS_FOR_LEADERS = 5


def statistics(
    arguments: Mapping[str, Any], data: Mapping[str, Any], principal: Principal, language: str, city: City
) -> str:
    """A sentence with the figure and its trend, then the largest rows (time groups in order of time), the forecast."""
    table = data["table"]
    begin, end = arguments.get("time_from"), arguments.get("time_to")
    span = describe(
        datetime.fromisoformat(begin) if begin else None, datetime.fromisoformat(end) if end else None, language
    )
    where = filter_words(arguments, city, language)
    context = ", ".join(part for part in (where, span) if part)
    head = _subject(table, arguments, language) + (f" ({context})" if context else "") + "."
    trend = _trend(table, language)
    rows = _rows(table, principal, language, city)
    return "\n".join([f"{head}{trend}", *rows, *_forecast(data.get("forecast"), language)])


def _subject(table: Mapping[str, Any], arguments: Mapping[str, Any], language: str) -> str:
    """What was measured, and the figure."""
    metric, total = table["metric"], table["total"]
    types = arguments.get("event_types") or []
    what = type_names(types, language)
    if metric in ("count", "rate"):
        unit = pick(language, " vụ", "") + (pick(language, " mỗi giờ", " an hour") if metric == "rate" else "")
        return f"{what.capitalize()}: {_figure(total)}{unit}"
    name = pick(language, *INCIDENT_FIGURES[metric])
    of = f" ({what})" if types else ""
    if total is None:
        none = pick(language, "chưa có vụ việc nào để tính", "no incidents to take it from")
        return f"{name}{of}: {none}"
    over = ""
    if metric != "open" and table.get("sample") is not None:
        over = pick(language, f", tính trên {table['sample']} vụ", f", over {table['sample']} incidents")
    return f"{name}{of}: {_value(total, metric, language)}{over}"


def _value(value: float | None, metric: str, language: str) -> str:
    if value is None:
        return pick(language, "không có số liệu", "no figure")
    if metric == "mean_response_minutes":
        return pick(language, f"{value:.1f} phút", f"{value:.1f} minutes")
    if metric == "resolved_share":
        return f"{value * 100:.0f}%"
    return _figure(value)


def _figure(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.2f}"


def _trend(table: Mapping[str, Any], language: str) -> str:
    value, before, metric = table["total"], table.get("compared_total"), table["metric"]
    if before is None or value is None:
        return ""
    said = _value(before, metric, language)
    if before == value:
        return pick(language, f" Không đổi so với kỳ so sánh ({said}).", f" Unchanged from {said}.")
    if metric == "resolved_share":
        change = pick(language, f"{abs(value - before) * 100:.0f} điểm % ", f"{abs(value - before) * 100:.0f} points ")
    else:
        change = f"{abs(value - before) / before * 100:.0f}% " if before else ""
    up = value > before
    vi = f" {'Tăng' if up else 'Giảm'} {change}so với kỳ so sánh ({said})."
    en = f" {'Up' if up else 'Down'} {change}from {said} in the compared period."
    return pick(language, vi, en)


def _forecast(forecast: Mapping[str, Any] | None, language: str) -> list[str]:
    """The expected days with their interval and how they were come by, so that nobody takes them for counted."""
    if not forecast:
        return []
    days, level = forecast["history_days"], round(forecast["level"] * 100)
    if not days:
        return [pick(language, "Chưa có số liệu ngày nào để dự báo.", "No whole day of history to forecast from.")]
    if forecast["method"] == "weekday_mean":
        how = pick(language, "trung bình cùng thứ trong tuần", "mean of the same weekday")
    else:
        how = pick(
            language,
            "trung bình các ngày, chưa đủ 2 tuần số liệu nên kém chắc chắn",
            "plain mean of the days; under two weeks of history, so less certain",
        )
    head = pick(
        language,
        f"Dự báo ({how}; {days} ngày số liệu; khoảng {level}%):",
        f"Forecast ({how}; {days} days of history; {level}% interval):",
    )
    return [head, *(_expected(day) for day in forecast["days"])]


def _expected(day: Mapping[str, Any]) -> str:
    at = date.fromisoformat(day["date"]).strftime("%d/%m/%Y")
    return f"- {at}: {day['value']:.1f} ({day['low']:.0f}–{day['high']:.0f})"


def _rows(table: Mapping[str, Any], principal: Principal, language: str, city: City) -> list[str]:
    groups, rows, metric = table["group_by"], list(table["rows"]), table["metric"]
    if not groups:
        return []
    timed = groups[0] in {"hour", "day", "week"}
    limit = ROWS_FOR_LEADERS if principal.role is Role.LEADER and not timed else ROWS if not timed else 31
    if not timed:
        rows.sort(key=lambda row: -(row["value"] or 0))
    lines = []
    for row in rows[:limit]:
        names = [_key(group, key, language, city) for group, key in zip(groups, row["key"], strict=True)]
        compared = row.get("compared")
        before = (
            pick(language, " (trước: ", " (before: ") + f"{_value(compared, metric, language)})"
            if compared is not None
            else ""
        )
        lines.append(f"- {', '.join(names)}: {_value(row['value'], metric, language)}{before}")
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
    return period_name(group, key, language)
