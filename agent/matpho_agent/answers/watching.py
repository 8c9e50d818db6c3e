"""Answers about what was set in motion: a lens that was turned, a watch that stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from matpho_agent.answers.calls import Done, Reader, Writer
from matpho_agent.answers.facts import camera_name, filter_words, moment, person_name, pick, type_names


def _turned(call: Done, reader: Reader) -> str:
    data, language = call.result.data, reader.language
    name = camera_name(reader.city, data["camera_id"])
    if data["repeated"]:
        return pick(
            language,
            f"Lệnh này đã thực hiện trước đó trên camera {name}; không xoay thêm.",
            f"This had been done on camera {name} before; nothing more was turned.",
        )
    until = moment(data["held_until"], reader.now, language)
    return pick(
        language,
        f"Camera {name} đã nhận lệnh: {_where(data, language)}. Bạn giữ quyền điều khiển đến {until}.",
        f"Camera {name} has taken the command: {_where(data, language)}. You hold it until {until}.",
    )


def _where(data: Mapping[str, Any], language: str) -> str:
    if data["home"]:
        return pick(language, "về vị trí gốc", "to its home position")
    if data["preset"]:
        return pick(language, f"đến vị trí «{data['preset']}»", f"to preset «{data['preset']}»")
    parts: list[str] = []
    if data["pan"]:
        vi, en = ("phải", "right") if data["pan"] > 0 else ("trái", "left")
        parts.append(pick(language, f"sang {vi} {abs(data['pan']):g}°", f"{abs(data['pan']):g}° {en}"))
    if data["tilt"]:
        vi, en = ("lên", "up") if data["tilt"] > 0 else ("xuống", "down")
        parts.append(pick(language, f"{vi} {abs(data['tilt']):g}°", f"{abs(data['tilt']):g}° {en}"))
    if data["zoom"]:
        vi, en = ("phóng to", "closer") if data["zoom"] > 0 else ("thu nhỏ", "wider")
        share = f"{abs(data['zoom']) * 100:g}%"
        parts.append(pick(language, f"{vi} {share}", f"{share} {en}"))
    return ", ".join(parts)


def _watching(call: Done, reader: Reader) -> str:
    data, language = call.result.data, reader.language
    where, query = data["filter"]["where"], data["filter"]["query"]
    what = type_names(where["event_types"], language)
    places = filter_words(where, reader.city, language)
    words = pick(language, f"có các từ «{query}»", f"with the words «{query}»") if query else ""
    wanted = ", ".join(part for part in (what, words, places) if part)
    until, told = moment(data["expires_at"], reader.now, language), _people(data["notify"], reader)
    case = data["case_number"]
    text = pick(
        language,
        f"Đã đặt theo dõi «{data['name']}» ({data['id']}): {wanted}; đến {until}; báo cho {told}.",
        f"Watch «{data['name']}» ({data['id']}) stands: {wanted}; until {until}; tells {told}.",
    )
    return text + (pick(language, f" Hồ sơ {case}.", f" Case {case}.") if case else "")


def _people(ids: Iterable[str], reader: Reader) -> str:
    return ", ".join(person_name(reader.city, one) for one in ids)


WRITERS: dict[str, Writer] = {"move_camera": _turned, "create_watch": _watching}
