"""Small facts in words: local times, names of types, places and objects, in Vietnamese and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from matpho_contracts.times import VIETNAM
from matpho_contracts.vocabulary import (
    COLOUR_NAMES,
    EVENT_TYPES,
    OBJECT_NAMES,
    Colour,
    EventType,
    ObjectClass,
    Severity,
)
from matpho_tools.city import City

SEVERITY_NAMES = {
    Severity.INFO: ("thông tin", "info"),
    Severity.LOW: ("thấp", "low"),
    Severity.MEDIUM: ("trung bình", "medium"),
    Severity.HIGH: ("cao", "high"),
    Severity.CRITICAL: ("khẩn cấp", "critical"),
}
WEEKDAYS = (
    ("Thứ 2", "Mon"), ("Thứ 3", "Tue"), ("Thứ 4", "Wed"), ("Thứ 5", "Thu"), ("Thứ 6", "Fri"), ("Thứ 7", "Sat"),
    ("CN", "Sun"),
)  # fmt: skip
STATUS_NAMES = {
    "online": ("đang hoạt động", "online"),
    "offline": ("mất kết nối", "offline"),
    "degraded": ("hình ảnh kém", "degraded"),
}


def pick(language: str, vi: str, en: str) -> str:
    """The wording of one language."""
    return vi if language == "vi" else en


def moment(value: str | datetime, now: datetime, language: str) -> str:
    """A local time, shorter the nearer: `09:15`, `09:15 20/11`, `09:15 20/11/2025`."""
    at = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(VIETNAM)
    today = now.astimezone(VIETNAM).date()
    if at.date() == today:
        return at.strftime("%H:%M ") + pick(language, "hôm nay", "today")
    return at.strftime("%H:%M %d/%m" if at.year == today.year else "%H:%M %d/%m/%Y")


def period_name(group: str, key: str, language: str) -> str:
    """A row of a table over time: `05:00 22/11`, `CN 22/11`, `tuần từ 16/11`; a key of another form as it is."""
    try:
        at = datetime.fromisoformat(key)
    except ValueError:
        return key
    if group == "hour":
        return at.strftime("%H:%M %d/%m")
    if group == "day":
        return f"{pick(language, *WEEKDAYS[at.weekday()])} {at:%d/%m}"
    if group == "week":
        return pick(language, f"tuần từ {at:%d/%m}", f"week of {at:%d/%m}")
    return key


def vocabulary(language: str) -> dict[str, str]:
    """Every code of the contract's vocabularies with its name."""
    names = {kind.value: facts[2] for kind, facts in EVENT_TYPES.items()}
    names |= {label.value: name for label, name in OBJECT_NAMES.items() if label.value not in names}
    names |= {tint.value: name for tint, name in COLOUR_NAMES.items()}
    return {code: pick(language, name.vi, name.en) for code, name in names.items()}


def type_name(value: str, language: str) -> str:
    """An event type in words."""
    name = EVENT_TYPES[EventType(value)][2]
    return pick(language, name.vi, name.en)


def type_names(values: Iterable[str], language: str) -> str:
    """Several event types in words, or just "events"."""
    names = [type_name(value, language) for value in values]
    return ", ".join(names) if names else pick(language, "sự kiện", "events")


def object_name(label: str, colour: str | None, language: str) -> str:
    """An object with its colour; a label outside the vocabulary is said as it is."""
    known = OBJECT_NAMES.get(ObjectClass(label)) if label in set(ObjectClass) else None
    name = pick(language, known.vi, known.en) if known else label
    if colour is None:
        return name
    tint = COLOUR_NAMES[Colour(colour)]
    return pick(language, f"{name} {tint.vi}", f"{tint.en} {name}")


def severity_name(value: str, language: str) -> str:
    """A severity in words."""
    return pick(language, *SEVERITY_NAMES[Severity(value)])


def status_name(value: str, language: str) -> str:
    """A camera's state in words."""
    return pick(language, *STATUS_NAMES.get(value, (value, value)))


def camera_name(city: City, camera_id: str) -> str:
    """A camera by name and id."""
    camera = city.camera(camera_id)
    return f"{camera.name} ({camera_id})" if camera and camera.name != camera_id else camera_id


def person_name(city: City, user_id: str) -> str:
    """An account's holder by name and id; one who is not known any more by id."""
    person = next((one for one in city.people if one.id == user_id), None)
    return f"{person.name} ({user_id})" if person and person.name != user_id else user_id


def area_name(city: City, code: str) -> str:
    """An area by name."""
    area = city.area(code)
    return area.name if area else code


def filter_words(arguments: Mapping[str, Any], city: City, language: str) -> str:
    """What was looked for, said back: objects, colours, places, so that a person sees how the request was read."""
    said: list[str] = []
    colours = arguments.get("colors") or []
    objects = arguments.get("objects") or []
    for label in objects:
        said.append(object_name(label, colours[0] if len(colours) == 1 else None, language))
    if colours and (len(colours) > 1 or not objects):
        tints = [pick(language, COLOUR_NAMES[Colour(c)].vi, COLOUR_NAMES[Colour(c)].en) for c in colours]
        said.append(pick(language, "màu ", "coloured ") + pick(language, " hoặc ", " or ").join(tints))
    for label in arguments.get("objects_not") or []:
        said.append(pick(language, "không có ", "without ") + object_name(label, None, language))
    if arguments.get("min_count"):
        said.append(
            pick(language, f"từ {arguments['min_count']} trở lên", f"at least {arguments['min_count']} at once")
        )
    if arguments.get("plate"):
        said.append(pick(language, f"biển số {arguments['plate']}", f"plate {arguments['plate']}"))
    if arguments.get("severity_min"):
        level = severity_name(arguments["severity_min"], language)
        said.append(pick(language, f"mức {level} trở lên", f"severity {level} or above"))
    return ", ".join([*said, *_places(arguments, city, language)])


def _places(arguments: Mapping[str, Any], city: City, language: str) -> list[str]:
    places = [area_name(city, code) for code in arguments.get("areas") or []]
    cameras = list(arguments.get("camera_ids") or [])
    places += [camera_name(city, camera) for camera in cameras[:3]]
    if len(cameras) > 3:
        places.append(pick(language, f"và {len(cameras) - 3} camera khác", f"and {len(cameras) - 3} more cameras"))
    if arguments.get("near"):
        metres = round(arguments["near"]["radius_m"])
        places.append(pick(language, f"trong bán kính {metres} m", f"within {metres} m"))
    return places
