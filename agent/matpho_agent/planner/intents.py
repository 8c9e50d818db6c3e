"""Which reading tool a clause asks for, from the cues in it; wishes to act are told by planner/wishes.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matpho_agent.planner.plan import QueryPlan

if TYPE_CHECKING:
    from matpho_agent.language.places import PlaceMatch
    from matpho_agent.planner.scan import Reading

READING = (
    "find_similar_events",
    "get_clip",
    "get_snapshot",
    "camera_status",
    "list_cameras",
    "event_statistics",
    "get_event",
    "search_events",
)
CAMERA_WORDS = ("cam", "camera", "cameras", "cams")
DEVICES = (("may", "quay"), ("thiet", "bi"))
VIEW_WORDS = (
    "xem", "coi", "mo", "bat", "ngo", "nhin", "show", "see", "view", "open", "look", "watch", "dom", "grab", "anh",
    "hinh", "lay",
)  # fmt: skip
PICTURES = (
    "anh", "hinh", "chup", "snapshot", "picture", "photo", "image", "still", "shot", "screenshot", "view", "live",
)  # fmt: skip
LOOKING = ("xem", "coi", "ngo", "nhin", "dom", "show", "see", "view", "look")
FAULTS = frozenset({"image_degraded", "camera_offline"})
"""Events that are states of cameras as well."""
LISTS = (
    ("danh", "sach"), ("liet", "ke"), ("ke", "ra"), ("ke", "het"), ("o", "dau"), ("tong", "hop"), ("list",),
    ("tung", "vu"), ("tung", "lan"),
)  # fmt: skip
"""Words that ask for the things themselves rather than for their number."""


def speaks_of_cameras(reading: Reading) -> bool:
    """Whether a word for cameras occurs: `cam`, `camera`, `máy quay`, `thiết bị`."""
    named = {number for match in reading.places for number in range(match.start, match.end) if _areas_only(match)}
    said = any(token.plain in CAMERA_WORDS for place, token in enumerate(reading.text.tokens) if place not in named)
    return said or any(_says_in_order(reading, words) for words in DEVICES)


def _areas_only(match: PlaceMatch) -> bool:
    """Whether a name is an area's: the `Cam` of `Cam Ly` is no camera."""
    return all(place.kind == "area" for place in match.places)


def wants_a_list(reading: Reading) -> bool:
    """Whether the clause asks for a list in so many words; `đánh` is no `danh`."""
    return any(_says_in_order(reading, words) for words in LISTS)


def _says_in_order(reading: Reading, words: tuple[str, ...]) -> bool:
    plain = [token.plain for token in reading.text.tokens]
    return any(tuple(plain[start : start + len(words)]) == words for start in range(len(plain)))


def reading_intent(reading: Reading, plan: QueryPlan) -> str:
    """The name of a tool that reads events or cameras, or empty where the clause names no such wish."""
    cues = reading.values("intent")
    wanted = next((name for name in READING if name in cues), "")
    if wanted == "find_similar_events" and "get_snapshot" in cues and reading.says("what", "what's", "whats", "how"):
        wanted = "get_snapshot"  # "what does it look like there" compares nothing
    if wanted == "get_snapshot" and plan.event_types and not reading.says(*PICTURES):
        wanted = "search_events"  # "how are the parking offences looking" shows no picture
    if wanted in {"find_similar_events", "get_clip", "get_snapshot"}:
        return wanted
    about = _about_cameras(reading, plan, wanted)
    if about:
        return about
    if wanted in {"", "search_events"} and _looks_back(reading, plan):
        return "get_clip"
    if wanted in {"", "search_events"} and _looks_now(reading, plan):
        return "get_snapshot"
    counted = wanted in {"event_statistics", "camera_status", "list_cameras"} and "event_statistics" in cues
    if counted or plan.forecast or plan.group_by or plan.compare_to or plan.metric != "count":
        figures = bool(plan.compare_to) or plan.metric != "count" or plan.forecast
        return "search_events" if wants_a_list(reading) and not figures and not plan.group_by else "event_statistics"
    if wanted == "get_event" or (plan.event and plan.event.event_id and not plan.has_filters()):
        return "get_event"
    return "search_events" if wanted in {"camera_status", "list_cameras"} else wanted


def _wants_picture(reading: Reading, plan: QueryPlan) -> bool:
    """Whether the present look of a named place is asked for: `cho coi hình cổng bệnh viện bây giờ`."""
    past = plan.time_from is not None and not plan.at_present
    picture = reading.says("hinh", "picture", "photo", "image") or any(
        token.typed.lower() == "ảnh" for token in reading.text.tokens
    )
    return picture and not past and not plan.objects and reading.says(*VIEW_WORDS[:-4], "lay", "xin", "cho", "gui")


def _looks_back(reading: Reading, plan: QueryPlan) -> bool:
    """`show me Lạc Long Quân at 1:35am`: what one camera recorded at a clock time, not what happened then."""
    named = len(plan.camera_ids) == 1 and plan.time_point is not None and not plan.at_present
    asked = reading.says("gi", "nao", "chuyen", "what", "any", "anything", "vu", "ai", "co", "did", "happened")
    return (
        named
        and not (plan.event_types or plan.objects or plan.plate or plan.query or asked)
        and reading.says("xem", "coi", "show", "see", "watch", "mo", "ngo")
    )


def _looks_now(reading: Reading, plan: QueryPlan) -> bool:
    """`show me the school gate right now`: how one camera's place looks at present, and nothing that happens there."""
    told = plan.event_types or plan.objects or plan.plate or plan.query or plan.min_count or plan.limit
    asked = reading.says(
        "gi", "nao", "chuyen", "any", "anything", "vu", "ai", "happened", "events", "su", "co", "khong"
    )
    return len(plan.camera_ids) == 1 and plan.at_present and not (told or asked) and reading.says(*LOOKING)


def _about_cameras(reading: Reading, plan: QueryPlan, wanted: str) -> str:
    """The wish for cameras themselves, if that is what the clause is about."""
    past = plan.time_from is not None and not plan.at_present
    if plan.status and not past and set(plan.event_types) <= FAULTS:
        plan.event_types = []
    if plan.event_types or plan.plate or plan.group_by or plan.compare_to:
        return ""
    spoken = speaks_of_cameras(reading)
    one = bool(plan.camera_ids or plan.camera_options or plan.camera_that)
    if one:
        if wanted == "camera_status" or (plan.status and (spoken or wanted)) or (plan.kind == "ptz" and spoken):
            return "camera_status"
        quiet = spoken and not plan.objects and not plan.query
        if quiet and reading.says(*VIEW_WORDS) and (plan.time_from is None or plan.at_present):
            return "get_snapshot"
        if _wants_picture(reading, plan):
            return "get_snapshot"
        return wanted if wanted == "list_cameras" and spoken else ""
    if wanted == "camera_status" and not spoken and not plan.status:
        return wanted
    described = bool(plan.status or plan.kind or plan.owner)
    if wants_a_list(reading) and (plan.kind or plan.owner) and not plan.objects:
        return "list_cameras"
    turning = plan.kind == "ptz" and reading.says("which", "ones", "nao", "any", "con")
    if wanted in {"camera_status", "list_cameras"} or (spoken and described) or turning:
        if wanted == "camera_status" and not described and not reading.says("nao", "which", "all", "cac", "any"):
            return wanted
        return "list_cameras"
    return ""
