"""Captions: one plain sentence in Vietnamese and in English for what happened, from a small grammar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from matpho_contracts.events import Caption
from matpho_contracts.times import DAY_PARTS, VIETNAM
from matpho_contracts.vocabulary import COLOUR_NAMES, EVENT_TYPES, OBJECT_NAMES, Colour, EventType, Name, ObjectClass
from matpho_edge.compose_coco import COCO_NAMES
from matpho_edge.rules.zones import Zone, ZoneKind

MAX_SENTENCE = 500
_DAY_PARTS_EN = {
    "sáng": "in the morning",
    "trưa": "at midday",
    "chiều": "in the afternoon",
    "tối": "in the evening",
    "đêm": "at night",
}
_PLACES: Mapping[ZoneKind, Name] = {
    ZoneKind.CARRIAGEWAY: Name("trên lòng đường", "on the carriageway"),
    ZoneKind.NO_PARKING: Name("trong khu vực cấm đỗ", "in a no-parking zone"),
    ZoneKind.RESTRICTED: Name("trong khu vực hạn chế", "in a restricted area"),
    ZoneKind.PAVEMENT: Name("trên vỉa hè", "on the pavement"),
    ZoneKind.CROSSING: Name("trên vạch qua đường", "on the pedestrian crossing"),
    ZoneKind.WAITING: Name("ở vạch dừng đèn đỏ", "at the stop line"),
    ZoneKind.CROWD_AREA: Name("ở khu vực đông người", "in the gathering area"),
    ZoneKind.WATER: Name("dưới nước", "on the water"),
    ZoneKind.DUMPING: Name("ở nơi cấm đổ rác", "in a no-dumping area"),
    ZoneKind.MASKED: Name("", ""),
}
"""Where a thing is, by the kind of its zone, with the preposition."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a caption tells: the main object, how many, where, since when."""

    event_type: EventType
    label: str | None
    colour: Colour | None
    count: int
    zone: Zone | None
    camera_name: str
    start: datetime
    at: datetime
    camera_name_en: str = ""


def caption(scene: Scene) -> Caption:
    """The sentence in both languages; the hour is Vietnam's.

    A white truck that drives the wrong way becomes "Xe tải trắng đi ngược chiều trên lòng đường tại Ngã tư A lúc 14:30
    chiều." and "A white truck drives the wrong way on the carriageway at Ngã tư A at 14:30 in the afternoon."
    """
    clock, part = _clock(scene.at)
    if scene.event_type is EventType.CAMERA_OFFLINE:
        return Caption(
            vi=f"Camera {scene.camera_name} mất tín hiệu từ {_clock(scene.start)[0]}.",
            en=f"Camera {scene.camera_name_en or scene.camera_name} has been offline since {_clock(scene.start)[0]}.",
        )
    what = _SENTENCES.get(scene.event_type, _plain)(scene)
    where = _where(scene)
    return Caption(
        vi=_sentence(what.vi, where.vi, f"tại {scene.camera_name}", f"lúc {clock} {part}"),
        en=_sentence(
            what.en, where.en, f"at {scene.camera_name_en or scene.camera_name}", f"at {clock} {_DAY_PARTS_EN[part]}"
        ),
    )


def thing(label: str | None, colour: Colour | None) -> Name:
    """A thing with its colour: "xe tải trắng", "a white truck"; people wear their colour."""
    if label is None:
        return Name("một vật", "something")
    name = _noun(label)
    if colour is None:
        return Name(name.vi, f"{_article(name.en)} {name.en}")
    shade = COLOUR_NAMES[colour]
    if label == ObjectClass.PERSON:
        return Name(f"người mặc đồ {shade.vi}", f"a person in {shade.en}")
    return Name(f"{name.vi} {_shade_vi(shade.vi)}", f"{_article(shade.en)} {shade.en} {name.en}")


def _shade_vi(shade: str) -> str:
    """Orange needs its `màu`: `xe cam` means nothing."""
    return f"màu {shade}" if shade in ("cam", "nâu", "xám", "tím") else shade


def _noun(label: str) -> Name:
    if label in ObjectClass.__members__.values():
        return OBJECT_NAMES[ObjectClass(label)]
    return COCO_NAMES.get(label, Name(label, label))


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"


def _clock(at: datetime) -> tuple[str, str]:
    """Hour and part of the day in Vietnam."""
    local = at.astimezone(VIETNAM)
    part = next(
        name for name, (start, end) in DAY_PARTS.items() if start <= local.hour < end or start <= local.hour + 24 < end
    )
    return f"{local:%H:%M}", part


def _where(scene: Scene) -> Name:
    """The zone: by its own name, or by its kind where the sentence does not say it already."""
    zone = scene.zone
    if zone is None:
        return Name("", "")
    if zone.name_vi or zone.name_en:
        return Name(f"ở {zone.name_vi or zone.name_en}", f"at {zone.name_en or zone.name_vi}")
    return Name("", "") if scene.event_type in _SAYS_WHERE else _PLACES[zone.kind]


_SAYS_WHERE = frozenset({EventType.INTRUSION, EventType.PEDESTRIAN_ON_ROAD, EventType.CROWD, EventType.ILLEGAL_PARKING})


def _sentence(*parts: str) -> str:
    text = " ".join(part for part in parts if part)[: MAX_SENTENCE - 1]
    return text[:1].upper() + text[1:] + "."


def _lasting(scene: Scene) -> Name:
    """How long it has lasted, in words."""
    seconds = max(1, round((scene.at - scene.start).total_seconds()))
    if seconds < 120:
        return Name(f"{seconds} giây", f"{seconds} seconds")
    minutes = round(seconds / 60)
    return Name(f"{minutes} phút", f"{minutes} minutes")


def _verb(vi: str, en: str) -> Callable[[Scene], Name]:
    """A sentence of the main object and a verb; `{lasting}` stands for the duration."""

    def say(scene: Scene) -> Name:
        subject, lasting = thing(scene.label, scene.colour), _lasting(scene)
        return Name(
            f"{subject.vi} {vi.replace('{lasting}', lasting.vi)}", f"{subject.en} {en.replace('{lasting}', lasting.en)}"
        )

    return say


def _crowd(scene: Scene) -> Name:
    return Name(f"đám đông {scene.count} người tụ tập", f"a crowd of {scene.count} people gathers")


def _dumping(scene: Scene) -> Name:
    subject = thing(scene.label, scene.colour)
    if scene.label == ObjectClass.RUBBISH:
        return Name("rác bị đổ trộm", "rubbish is dumped illegally")
    return Name(f"{subject.vi} bị vứt lại, nghi đổ rác trộm", f"{subject.en} is dumped illegally and left behind")


def _plain(scene: Scene) -> Name:
    """Any other event type: its name, with the object where there is one."""
    name = EVENT_TYPES[scene.event_type][2]
    if scene.label is None:
        return name
    subject = thing(scene.label, scene.colour)
    return Name(f"{name.vi}: {subject.vi}", f"{name.en}: {subject.en}")


_SENTENCES: Mapping[EventType, Callable[[Scene], Name]] = {
    EventType.WRONG_WAY: _verb("đi ngược chiều", "drives the wrong way"),
    EventType.INTRUSION: _verb("xâm nhập khu vực hạn chế", "enters a restricted area"),
    EventType.STOPPED_VEHICLE: _verb("dừng lại {lasting}", "has been standing for {lasting}"),
    EventType.ILLEGAL_PARKING: _verb(
        "đỗ sai quy định {lasting} trong khu vực cấm đỗ", "is parked illegally for {lasting} in a no-parking zone"
    ),
    EventType.PEDESTRIAN_ON_ROAD: _verb("đi bộ dưới lòng đường", "walks on the carriageway"),
    EventType.FIRE: lambda scene: Name("có lửa cháy", "a fire burns"),
    EventType.SMOKE: lambda scene: Name("có khói bốc lên", "smoke rises"),
    EventType.CROWD: _crowd,
    EventType.ILLEGAL_DUMPING: _dumping,
    EventType.OBJECT_SEEN: _verb("xuất hiện", "appears"),
}
