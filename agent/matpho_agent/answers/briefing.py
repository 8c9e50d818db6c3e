"""The daily briefing in words: figures and trend first, then what waits, what is late, what is broken, what people say.

Leaders get the short form; officers and commanders the ids and deadlines to hand over by.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from matpho_agent.answers.calls import Done, Reader, Writer
from matpho_agent.answers.citizens import category_name
from matpho_agent.answers.facts import area_name, camera_name, moment, pick, type_name
from matpho_platform.access.principal import Role
from matpho_platform.incidents.schemas import Priority, Status
from matpho_platform.incidents.states import STATUS_NAMES
from matpho_tools.incident_rows import PRIORITY_NAMES

TYPES, TYPES_FOR_LEADERS = 10, 5
PLACES = 3
WAITING, WAITING_FOR_LEADERS = 10, 5


def _briefing(call: Done, reader: Reader) -> str:
    data = call.result.data
    parts = [
        _head(data, reader),
        *_types(data, reader),
        _places(data, reader),
        *_incidents(data["incidents"], reader),
        _devices(data["devices"], reader),
        _feedback(data["feedback"], reader),
    ]
    return "\n".join(part for part in parts if part)


def _head(data: Mapping[str, Any], reader: Reader) -> str:
    language, events = reader.language, data["events"]
    day = date.fromisoformat(data["date"]).strftime("%d/%m/%Y")
    where = ", ".join(area_name(reader.city, code) for code in data["areas"])
    where = f", {where}" if where else ""
    until = moment(data["time_to"], reader.now, language) if data["partial"] else ""
    span = pick(language, f" (tính đến {until})", f" (up to {until})") if until else ""
    return pick(
        language,
        f"Bản tin {day}{where}{span}: {events['value']} sự kiện{_against(events, data['partial'], language)}.",
        f"Briefing {day}{where}{span}: {events['value']} events{_against(events, data['partial'], language)}.",
    )


def _against(trend: Mapping[str, Any], partial: bool, language: str) -> str:
    """The figure beside the day before and the same weekday a week before."""
    same_vi, same_en = (" cùng giờ", " by this hour") if partial else ("", "")
    return pick(
        language,
        f" (hôm trước{same_vi} {trend['day_before']}{_change(trend['value'], trend['day_before'])},"
        f" cùng thứ tuần trước {trend['week_before']})",
        f" (day before{same_en} {trend['day_before']}{_change(trend['value'], trend['day_before'])},"
        f" same weekday last week {trend['week_before']})",
    )


def _change(value: int, before: int) -> str:
    if not before or value == before:
        return ""
    return f", {'+' if value > before else '−'}{abs(value - before) / before * 100:.0f}%"


def _types(data: Mapping[str, Any], reader: Reader) -> list[str]:
    most = TYPES_FOR_LEADERS if reader.principal.role is Role.LEADER else TYPES
    return [
        f"- {type_name(row['key'], reader.language)}: {row['value']}"
        + pick(reader.language, f" (hôm trước {row['day_before']})", f" (day before {row['day_before']})")
        for row in data["by_type"][:most]
    ]


def _places(data: Mapping[str, Any], reader: Reader) -> str:
    areas = [f"{area_name(reader.city, row['key'])} {row['value']}" for row in data["by_area"][:PLACES]]
    cameras = [f"{camera_name(reader.city, row['key'])} {row['value']}" for row in data["by_camera"][:PLACES]]
    if not areas:
        return ""
    text = pick(reader.language, "Nhiều nhất: ", "Most: ") + ", ".join(areas)
    return text + (pick(reader.language, "; camera: ", "; cameras: ") + ", ".join(cameras) if cameras else "") + "."


def _incidents(data: Mapping[str, Any], reader: Reader) -> list[str]:
    language, leader = reader.language, reader.principal.role is Role.LEADER
    head = pick(
        language,
        f"Vụ việc: {data['opened']} mở trong ngày, {data['open']} đang mở",
        f"Incidents: {data['opened']} opened that day, {data['open']} open now",
    )
    if data["mean_response_minutes"] is not None:
        minutes = f"{data['mean_response_minutes']:.1f}"
        head += pick(language, f", phản hồi trung bình {minutes} phút", f", mean response {minutes} minutes")
    if data["resolved_share"] is not None:
        share = f"{data['resolved_share'] * 100:.0f}%"
        head += pick(language, f", đã giải quyết {share}", f", {share} resolved")
    lines = [head + "."]
    lines += [_waiting(one, reader) for one in data["waiting"][: WAITING_FOR_LEADERS if leader else WAITING]]
    if data["overdue_total"]:
        total = data["overdue_total"]
        lines.append(pick(language, f"QUÁ HẠN {total} bước:", f"OVERDUE, {total} step(s):"))
        lines += [
            f"- {step['incident_id']}: {step['step']} ({moment(step['due_at'], reader.now, language)})"
            for step in data["overdue_steps"][: WAITING_FOR_LEADERS if leader else WAITING]
        ]
    return lines


def _waiting(one: Mapping[str, Any], reader: Reader) -> str:
    language = reader.language
    parts = [
        f"- {one['id']}",
        one["title"] or one["type"],
        area_name(reader.city, one["area"]),
        pick(language, *PRIORITY_NAMES[Priority(one["priority"])]),
        pick(language, *STATUS_NAMES[Status(one["status"])]),
        moment(one["opened_at"], reader.now, language),
    ]
    return " · ".join(part for part in parts if part)


def _devices(data: Mapping[str, Any], reader: Reader) -> str:
    language = reader.language
    text = pick(
        language,
        f"Camera: {data['online']}/{data['cameras']} hoạt động tốt, {data['offline']} mất kết nối,"
        f" {data['degraded']} hình kém",
        f"Cameras: {data['online']} of {data['cameras']} in good order, {data['offline']} offline,"
        f" {data['degraded']} with a poor picture",
    )
    named = ", ".join(camera_name(reader.city, camera) for camera in (*data["away"], *data["poor"])[:WAITING])
    return f"{text} ({named})." if named else f"{text}."


def _feedback(data: Mapping[str, Any], reader: Reader) -> str:
    language = reader.language
    kinds = ", ".join(f"{category_name(name, language)} {count}" for name, count in data["by_category"].items())
    text = pick(
        language,
        f"Phản ánh của người dân: {data['received']} mới, {data['resolved']} đã giải quyết, {data['open']} đang mở",
        f"Citizens' reports: {data['received']} new, {data['resolved']} resolved, {data['open']} open",
    )
    return f"{text} ({kinds})." if kinds else f"{text}."


WRITERS: dict[str, Writer] = {"daily_briefing": _briefing}
