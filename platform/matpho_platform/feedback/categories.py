"""What a report is about, read from its words, and who is in charge of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from matpho_contracts.text import fold
from matpho_contracts.vocabulary import EventType
from matpho_platform.feedback.schemas import Category

_WORDS: tuple[tuple[Category, str], ...] = (
    (
        Category.FIRE_SAFETY,
        r"\bchay\b|khoi mu|boc khoi|\blua\b|pccc|thoat hiem|chap dien|cau moc dien|binh gas|\bfires?\b|smoke|burning",
    ),
    (Category.FLOODING, r"\bngap\b|\blut\b|nuoc dang|trieu cuong|flood|waterlog"),
    (Category.NOISE, r"karaoke|tieng on|\bon ao\b|mo nhac|\bloa\b|thi cong ban dem|noise|noisy|loud"),
    (
        Category.INFRASTRUCTURE,
        (
            r"nap cong|o ga|cot dien|den duong|cay do|cay nghieng|mat via he|sut lun|bien bao|den tin hieu"
            r"|den giao thong|day dien|ho ga|pothole|street ?light|lamp ?post|manhole|traffic light|broken sign"
            r"|fallen tree|utility pole"
        ),
    ),
    (
        Category.ENVIRONMENT,
        (
            r"\brac\b|phe thai|do trom|nuoc thai|xa thai|mui hoi|o nhiem|bui ban|rubbish|garbage|trash|litter|dumping"
            r"|sewage|pollut|smell"
        ),
    ),
    (
        Category.SECURITY,
        (
            r"moc tui|trom cap|cuop|danh nhau|dua xe|net po|gay roi|dot nhap|treo rao|kha nghi|lang vang|hut chich"
            r"|ma tuy|pickpocket|theft|thief|stolen|robber|fight|suspicious|break-?in|racing"
        ),
    ),
    (
        Category.TRAFFIC,
        (
            r"\bxe\b|o to|ket cung|ket xe|un tac|tac duong|long duong|via he|dau do|do sai|nguoc chieu|xe buyt|parking"
            r"|parked|traffic|congest|wrong way|pavement|sidewalk|\bbus\b|taxi"
        ),
    ),
)
"""The first that fits holds: a lamp post in the road is a lamp post."""
_PATTERNS = tuple((category, re.compile(pattern)) for category, pattern in _WORDS)
_ALIASES: Mapping[str, Category] = {
    "fire": Category.FIRE_SAFETY,
    "flood": Category.FLOODING,
    "order": Category.SECURITY,
    "sanitation": Category.ENVIRONMENT,
    "lighting": Category.INFRASTRUCTURE,
    "road": Category.INFRASTRUCTURE,
    "public_order": Category.SECURITY,
}
UNIT_KINDS: Mapping[str, tuple[str, ...]] = {
    Category.TRAFFIC: ("traffic", "police"),
    Category.ENVIRONMENT: ("environment", "police"),
    Category.INFRASTRUCTURE: ("environment", "traffic", "police"),
    Category.SECURITY: ("police",),
    Category.FIRE_SAFETY: ("fire", "police"),
    Category.FLOODING: ("environment", "fire", "traffic", "police"),
    Category.NOISE: ("police", "environment"),
    Category.OTHER: ("police",),
}
"""Which kinds of unit are in charge, the first choice first."""
EVENT_TYPES_OF: Mapping[str, tuple[EventType, ...]] = {
    Category.TRAFFIC: (
        EventType.CONGESTION,
        EventType.COLLISION,
        EventType.STOPPED_VEHICLE,
        EventType.ILLEGAL_PARKING,
        EventType.WRONG_WAY,
        EventType.LANE_ENCROACHMENT,
        EventType.SIDEWALK_ENCROACHMENT,
    ),
    Category.ENVIRONMENT: (EventType.ILLEGAL_DUMPING, EventType.MATERIAL_SPILL, EventType.SIDEWALK_ENCROACHMENT),
    Category.INFRASTRUCTURE: (EventType.CONSTRUCTION_VIOLATION, EventType.MATERIAL_SPILL, EventType.FLOODING),
    Category.SECURITY: (
        EventType.FIGHT,
        EventType.CROWD,
        EventType.INTRUSION,
        EventType.LOITERING,
        EventType.ABANDONED_OBJECT,
        EventType.RESTRICTED_AREA_ENTRY,
    ),
    Category.FIRE_SAFETY: (EventType.FIRE, EventType.SMOKE),
    Category.FLOODING: (EventType.FLOODING,),
    Category.NOISE: (EventType.CROWD,),
}
"""Events that a report of a category may be about; a category that is not here is linked to none."""


def category_named(word: str) -> Category:
    """The category of a word, ours or a usual one; anything else is `other`."""
    plain = fold(word).replace(" ", "_").replace("-", "_")
    if plain in set(Category):
        return Category(plain)
    return _ALIASES.get(plain, Category.OTHER)


def category_of(text: str) -> Category:
    """What a report's words speak of.

    >>> category_of("Nắp cống trước số 45 bị mất")
    <Category.INFRASTRUCTURE: 'infrastructure'>
    """
    plain = fold(text)
    return next((category for category, pattern in _PATTERNS if pattern.search(plain)), Category.OTHER)
