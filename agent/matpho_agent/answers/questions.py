"""Questions back: one sentence for just the missing piece, with the choices where there are a few."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from matpho_agent.answers.facts import area_name, camera_name, moment, pick, type_name
from matpho_agent.planner.plan import Memory, Remembered
from matpho_platform.incidents.schemas import Level, Status
from matpho_platform.incidents.states import LEVEL_NAMES, STATUS_NAMES
from matpho_tools.city import City

MAX_CHOICES = 10
ASKED: dict[str, tuple[str, str]] = {
    "camera_id": ("Bạn muốn nói camera nào?", "Which camera do you mean?"),
    "event_id": ("Bạn muốn nói sự kiện nào?", "Which event do you mean?"),
    "event_ids": ("Cho sự kiện nào?", "For which event?"),
    "incident_id": ("Bạn muốn nói vụ việc nào?", "Which incident do you mean?"),
    "unit_id": ("Điều lực lượng nào?", "Which unit shall go?"),
    "request_id": ("Yêu cầu xác minh nào? Xin cho mã.", "Which identity request? Please give its number."),
    "code": ("Mã phản ánh là gì?", "What is the report's tracking code?"),
    "case_number": ("Số hồ sơ vụ án là gì?", "What is the case number?"),
    "purpose": ("Để làm gì? Cần một mục đích cụ thể.", "What is it for? A definite purpose is needed."),
    "fields": ("Cần những trường thông tin nào?", "Which fields are needed?"),
    "subject": (
        "Xác minh ai hoặc xe nào? Cho biển số, hoặc số căn cước, họ tên và ngày sinh.",
        "Who or which vehicle? Give a plate, or the citizen number, name and date of birth.",
    ),
    "decision": ("Duyệt hay từ chối?", "Approve or reject?"),
    "reason": ("Lý do là gì?", "What is the reason?"),
    "preset": ("Xoay về vị trí nào?", "Which preset?"),
    "pan": ("Xoay hướng nào, bao nhiêu độ?", "Which way, and how many degrees?"),
    "status": ("Chuyển sang trạng thái nào, hay bước nào đã xong?", "To which state, or which step is done?"),
    "step_done": ("Bước nào đã xong?", "Which step is done?"),
    "procedure": ("Theo quy trình nào?", "By which procedure?"),
    "separate": (
        "Sự kiện này đã có vụ việc. Xem vụ đó, hay mở thêm một vụ riêng?",
        "This event has an incident already. Look at that one, or open another?",
    ),
    "to_level": (
        "Chuyển lên cấp nào: chỉ huy, thành phố/tỉnh hay bộ?",
        "To which level: commander, province, ministry?",
    ),
    "filter": ("Theo dõi điều gì, ở đâu?", "What shall I watch for, and where?"),
    "expires": ("Theo dõi đến bao giờ?", "Until when?"),
    "name": ("Đặt tên là gì?", "What shall it be called?"),
    "text": ("Bạn muốn phản ánh điều gì?", "What would you like to report?"),
    "category": ("Thuộc loại nào?", "Of what kind is it?"),
    "area": ("Ở phường, xã nào hoặc chỗ nào?", "In which ward, or where?"),
    "location": ("Ở chỗ nào?", "Where is it?"),
    "query": ("Bạn muốn biết điều gì?", "What would you like to know?"),
    "time_from": (
        "Từ mấy giờ đến mấy giờ? (một clip dài nhất 10 phút)",
        "From what time to what time? (a clip is at most 10 minutes)",
    ),
}


def question(missing: str, options: Sequence[str], memory: Memory, city: City, language: str, now: datetime) -> str:
    """The sentence for an argument that is missing; its choices are numbered, so that a number answers."""
    argument = missing.split(".", 1)[0]
    head = pick(language, *ASKED.get(argument, (f"Cần thêm: {missing}.", f"One piece is missing: {missing}.")))
    shown = [_choice(argument, option, memory, city, language, now) for option in options[:MAX_CHOICES]]
    lines = [f"{number}. {choice}" for number, choice in enumerate(shown, 1)]
    if len(options) > MAX_CHOICES:
        lines.append(pick(language, f"… và {len(options) - MAX_CHOICES} lựa chọn nữa.", "… and more."))
    return "\n".join([head, *lines])


def _choice(argument: str, option: str, memory: Memory, city: City, language: str, now: datetime) -> str:
    """One choice as a person knows it: a camera by name, an incident by what and where, a unit by name."""
    if argument == "camera_id":
        return camera_name(city, option)
    if argument == "area":
        return area_name(city, option)
    if argument == "unit_id":
        return next((f"{unit.name} ({unit.id})" for unit in city.units if unit.id == option), option)
    if argument in {"event_id", "event_ids", "incident_id", "separate"}:
        known = next((row for row in (*memory.results, *memory.incidents) if row.id == option), None)
        return f"{_row(known, city, language, now)} · [{option}]" if known is not None else f"[{option}]"
    if option in set(Status):
        return pick(language, *STATUS_NAMES[Status(option)])
    if option in set(Level):
        return pick(language, *LEVEL_NAMES[Level(option)])
    return option


def _row(row: Remembered, city: City, language: str, now: datetime) -> str:
    where = camera_name(city, row.camera_id) if row.camera_id else area_name(city, row.area) if row.area else ""
    parts = [
        moment(row.time, now, language) if row.time else "",
        type_name(row.type, language) if row.type else "",
        where,
    ]
    return " · ".join(part for part in parts if part)
