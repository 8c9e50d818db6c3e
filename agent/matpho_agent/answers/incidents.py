"""Answers about incidents and procedures: lists, one incident, what was done to it, passages that answer.

Leaders get the count and what is late; officers and commanders ids, deadlines and the next step. What people wrote
(notes, reasons) and what procedures say stands in «quotation marks».
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from matpho_agent.answers.calls import Done, Reader, Writer
from matpho_agent.answers.facts import area_name, moment, person_name, pick
from matpho_agent.answers.procedures import procedures, role_name
from matpho_platform.access.principal import Role
from matpho_platform.incidents.schemas import Level, Priority, Status
from matpho_platform.incidents.states import LEVEL_NAMES, OPEN, STATUS_NAMES
from matpho_tools.incident_rows import PRIORITY_NAMES, type_names

SHOWN = 10
SHOWN_TO_LEADERS = 5
TIMELINE = 5
_ACTS: Mapping[str, tuple[str, str]] = {
    "opened": ("mở vụ việc", "opened"),
    "acknowledged": ("nhận cảnh báo", "acknowledged"),
    "dispatched": ("điều lực lượng", "unit sent"),
    "updated": ("đổi trạng thái", "state changed"),
    "step_done": ("xong bước", "step done"),
    "escalated": ("chuyển cấp trên", "escalated"),
    "loaded": ("ghi nhận trạng thái", "state recorded"),
}
_FIELD = frozenset({Role.OFFICER, Role.COMMANDER})


def _list(call: Done, reader: Reader) -> str:
    """How many, then each with its state, deadline and who has it."""
    data, language = call.result.data, reader.language
    found, total = data["incidents"], data["total"]
    if not total:
        return pick(language, "Không có kết quả: không có vụ việc nào khớp.", "No results: no incident matches.")
    leader = reader.principal.role is Role.LEADER
    shown = found[: SHOWN_TO_LEADERS if leader else SHOWN]
    late = sum(1 for incident in found if incident["overdue"])
    head = pick(language, f"Có {total} vụ việc", f"{total} incident{'s' if total > 1 else ''}")
    if late:
        part = pick(language, "trong trang này ", "on this page ") if total > len(found) else ""
        head += pick(language, f", {part}{late} vụ QUÁ HẠN", f", {part}{late} OVERDUE")
    lines = [f"{head}:", *(_line(number, incident, reader) for number, incident in enumerate(shown, 1))]
    rest = total - len(shown)
    if rest > 0:
        lines.append(pick(language, f"… và {rest} vụ nữa.", f"… and {rest} more."))
    if reader.principal.role in _FIELD:
        first = shown[0]["id"]
        lines.append(pick(language, f"Bước tiếp: «chi tiết {first}».", f"Next: “details of {first}”."))
    return "\n".join(lines)


def _line(number: int, incident: Mapping[str, Any], reader: Reader) -> str:
    language = reader.language
    parts = [
        f"{number}. {incident['id']}",
        _kind(incident, language),
        _place(incident, reader),
        _pair(PRIORITY_NAMES[Priority(incident["priority"])], language),
        _pair(STATUS_NAMES[Status(incident["status"])], language),
    ]
    if reader.principal.role is not Role.LEADER:
        parts.append(pick(language, "mở ", "opened ") + moment(incident["opened_at"], reader.now, language))
        parts.append(_holder(incident, language))
    return " · ".join(part for part in (*parts, _late(incident, reader)) if part)


def _detail(call: Done, reader: Reader) -> str:
    return "\n".join(_whole(call.result.data, reader))


def _whole(incident: Mapping[str, Any], reader: Reader) -> list[str]:
    """One incident: what and where, state, steps with deadlines, units, what happened last, what comes next."""
    language, leader = reader.language, reader.principal.role is Role.LEADER
    state = _pair(STATUS_NAMES[Status(incident["status"])], language)
    level = _pair(LEVEL_NAMES[Level(incident["level"])], language)
    priority = _pair(PRIORITY_NAMES[Priority(incident["priority"])], language)
    lines = [
        " · ".join(part for part in (incident["id"], _kind(incident, language), _place(incident, reader)) if part),
        pick(
            language,
            f"Trạng thái: {state}, cấp {level}, ưu tiên {priority}.",
            f"State: {state}, level {level}, priority {priority}.",
        ),
        _times(incident, reader),
    ]
    if incident["title"]:
        progress = f"{incident['steps_done']}/{incident['steps_total']}"
        lines.append(
            pick(
                language,
                f"Quy trình «{incident['title']}» ({incident['procedure']}): xong {progress} bước.",
                f"Procedure «{incident['title']}» ({incident['procedure']}): {progress} steps done.",
            )
        )
    late = _late(incident, reader)
    if leader:
        return [*lines, *([late + "."] if late else [])]
    lines += [_step(number, step, reader) for number, step in enumerate(incident["steps"], 1)]
    lines += [_task(task, reader) for task in incident["tasks"]]
    lines += _events(incident, reader)
    lines += _recent(incident["timeline"], reader)
    return [*lines, *_next(incident, reader)]


def _times(incident: Mapping[str, Any], reader: Reader) -> str:
    language = reader.language
    opened = moment(incident["opened_at"], reader.now, language)
    text = pick(language, f"Mở lúc {opened}", f"Opened {opened}")
    if incident["acknowledged_at"]:
        seen = moment(incident["acknowledged_at"], reader.now, language)
        minutes = _minutes(incident["opened_at"], incident["acknowledged_at"])
        text += pick(
            language, f", nhận lúc {seen} (sau {minutes} phút)", f", acknowledged {seen} (after {minutes} min)"
        )
    elif Status(incident["status"]) in OPEN:
        waited = _minutes(incident["opened_at"], reader.now.isoformat())
        text += pick(language, f", CHƯA AI NHẬN (đã {waited} phút)", f", NOT ACKNOWLEDGED (for {waited} min)")
    holder = _holder(incident, language)
    return f"{text}{', ' + holder if holder else ''}."


def _step(number: int, step: Mapping[str, Any], reader: Reader) -> str:
    language = reader.language
    role = role_name(step["role"], language)
    if step["done_at"]:
        at = moment(step["done_at"], reader.now, language)
        who = person_name(reader.city, step["done_by"])
        mark = pick(language, f"xong {at}, {who}", f"done {at}, {who}")
    else:
        due = moment(step["due_at"], reader.now, language)
        mark = pick(language, f"hạn {due}", f"due {due}")
        if step["overdue"]:
            mark = pick(language, f"QUÁ HẠN, {mark}", f"OVERDUE, {mark}")
    return f"  {number}. {step['name']} ({role}): {mark}"


def _task(task: Mapping[str, Any], reader: Reader) -> str:
    language = reader.language
    at = moment(task["sent_at"], reader.now, language)
    state = (
        pick(language, "đã giao, chưa phản hồi", "tasked, no answer yet") if task["state"] == "sent" else task["state"]
    )
    note = f" «{task['note']}»" if task["note"] else ""
    return (
        pick(language, "Đã điều: ", "Unit: ")
        + f"{task['unit_name']} ({task['unit_id']}), {at}, {state}{note} [{task['id']}]"
    )


def _events(incident: Mapping[str, Any], reader: Reader) -> list[str]:
    ids = incident["event_ids"]
    if not ids:
        return []
    shown = ", ".join(f"[{event_id}]" for event_id in ids[:3])
    more = f" +{len(ids) - 3}" if len(ids) > 3 else ""
    return [pick(reader.language, "Sự kiện: ", "Events: ") + shown + more]


def _recent(timeline: Sequence[Mapping[str, Any]], reader: Reader) -> list[str]:
    """The last entries of the timeline."""
    if not timeline:
        return []
    lines = [pick(reader.language, "Diễn biến gần nhất:", "Latest:")]
    return lines + [_entry(entry, reader) for entry in timeline[-TIMELINE:]]


def _entry(entry: Mapping[str, Any], reader: Reader) -> str:
    language = reader.language
    act = _pair(_ACTS.get(entry["action"], (entry["action"], entry["action"])), language)
    details = entry["details"]
    about = [details[name] for name in ("unit", "step") if details.get(name)]
    if details.get("to"):
        about.append(_named(details["to"], language))
    said = [f"«{text}»" for text in (entry["note"], entry["reason"]) if text]
    at = moment(entry["at"], reader.now, language)
    tail = " ".join([*about, *said])
    return f"  {at} · {person_name(reader.city, entry['actor'])} · {act}{': ' + tail if tail else ''}"


def _next(incident: Mapping[str, Any], reader: Reader) -> list[str]:
    """What to do now, for those who may."""
    language, step = reader.language, incident["next_step"]
    if reader.principal.role not in _FIELD or Status(incident["status"]) not in OPEN:
        return []
    if not incident["acknowledged_at"]:
        said = pick(language, f"«nhận cảnh báo {incident['id']}»", f"“acknowledge {incident['id']}”")
        return [pick(language, f"Bước tiếp: {said}.", f"Next: {said}.")]
    if step is None:
        said = pick(language, f"«đóng {incident['id']}»", f"“close {incident['id']}”")
        return [pick(language, f"Bước tiếp: {said}.", f"Next: {said}.")]
    due = moment(step["due_at"], reader.now, language)
    late = pick(language, " (QUÁ HẠN)", " (OVERDUE)") if step["overdue"] else ""
    return [
        pick(
            language,
            f"Bước tiếp: {step['name']}, hạn {due}{late}.",
            f"Next: {step['name']}, due {due}{late}.",
        )
    ]


def _acted(call: Done, reader: Reader) -> str:
    """What was done, then where the incident stands in a line or two."""
    data, language = call.result.data, reader.language
    incident = data["incident"]
    head = _done(data, incident, language)
    if not data["changed"]:
        head = pick(
            language,
            f"Không làm lại: việc này đã được ghi ở vụ việc {incident['id']}.",
            f"Nothing new was done: incident {incident['id']} has it already.",
        )
    state = _pair(STATUS_NAMES[Status(incident["status"])], language)
    where = " · ".join(part for part in (_kind(incident, language), _place(incident, reader)) if part)
    line = pick(language, f"{where}; trạng thái: {state}.", f"{where}; state: {state}.")
    return "\n".join([head, line, *_next(incident, reader)])


def _done(data: Mapping[str, Any], incident: Mapping[str, Any], language: str) -> str:
    number, action = incident["id"], data["action"]
    if action == "opened":
        run = f" ({incident['procedure']})" if incident["procedure"] else ""
        priority = _pair(PRIORITY_NAMES[Priority(incident["priority"])], language)
        return pick(
            language,
            f"Đã mở vụ việc {number}{run}, ưu tiên {priority}.",
            f"Opened incident {number}{run}, priority {priority}.",
        )
    if action == "acknowledged":
        return pick(language, f"Đã nhận cảnh báo {number}.", f"Acknowledged {number}.")
    if action == "dispatched" and data["task"]:
        task = data["task"]
        unit = f"{task['unit_name']} ({task['unit_id']})"
        return pick(
            language,
            f"Đã giao nhiệm vụ cho {unit} tới vụ việc {number}; chưa có phản hồi [{task['id']}].",
            f"Tasked {unit} with incident {number}; no answer yet [{task['id']}].",
        )
    if action == "escalated":
        level = _pair(LEVEL_NAMES[Level(incident["level"])], language)
        return pick(
            language, f"Đã chuyển vụ việc {number} lên cấp {level}.", f"Escalated incident {number} to {level}."
        )
    if action == "step_done":
        progress = f"{incident['steps_done']}/{incident['steps_total']}"
        return pick(
            language,
            f"Đã ghi hoàn thành bước ở vụ việc {number} ({progress}).",
            f"Step of incident {number} recorded as done ({progress}).",
        )
    return pick(language, f"Đã cập nhật vụ việc {number}.", f"Updated incident {number}.")


def _late(incident: Mapping[str, Any], reader: Reader) -> str:
    """What is overdue, or the next deadline."""
    language, step = reader.language, incident["next_step"]
    if incident["overdue"]:
        count = incident["overdue"]
        return pick(language, f"QUÁ HẠN {count} bước", f"{count} step{'s' if count > 1 else ''} OVERDUE")
    if step is None or reader.principal.role is Role.LEADER:
        return ""
    due = moment(step["due_at"], reader.now, language)
    return pick(language, f"tiếp: {step['name']}, hạn {due}", f"next: {step['name']}, due {due}")


def _kind(incident: Mapping[str, Any], language: str) -> str:
    kind = _pair(type_names(incident["type"]), language) if incident["type"] else ""
    return kind or incident["title"]


def _place(incident: Mapping[str, Any], reader: Reader) -> str:
    area = area_name(reader.city, incident["area"])
    if not incident["camera_id"]:
        return area
    return f"{incident['camera_name']} ({incident['camera_id']}), {area}"


def _holder(incident: Mapping[str, Any], language: str) -> str:
    if not incident["assigned_to"]:
        return ""
    name, user = incident["assigned_name"], incident["assigned_to"]
    shown = user if name == user else f"{name} ({user})"
    return pick(language, f"giao {shown}", f"assigned to {shown}")


def _named(code: str, language: str) -> str:
    """A state or a level of the timeline in words."""
    if code in set(Status):
        return _pair(STATUS_NAMES[Status(code)], language)
    return _pair(LEVEL_NAMES[Level(code)], language) if code in set(Level) else code


def _pair(names: tuple[str, str], language: str) -> str:
    return pick(language, *names)


def _minutes(begin: str, end: str) -> int:
    return max(0, round((datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds() / 60))


WRITERS: dict[str, Writer] = {
    "list_incidents": _list,
    "get_incident": _detail,
    "list_procedures": procedures,
    "acknowledge_alert": _acted,
    "open_incident": _acted,
    "dispatch_unit": _acted,
    "update_incident": _acted,
    "escalate_incident": _acted,
}
