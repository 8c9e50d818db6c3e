"""Steps 1 and 2 of the query flow, second half: from the words explained to a typed plan; pure, no model, no IO."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from matpho_agent.language.lexicon import Lexicon, Match, shipped
from matpho_agent.language.places import Place, PlaceIndex, PlaceMatch
from matpho_agent.language.tokens import read_text
from matpho_agent.language.toponyms import kind_of, telling
from matpho_agent.planner.intents import reading_intent
from matpho_agent.planner.limits import read_limit
from matpho_agent.planner.plan import EventReference, NearPlan, QueryPlan
from matpho_agent.planner.scan import Reading, scan
from matpho_agent.planner.situation import Situation
from matpho_contracts.text import normalise_plate

PRESENT = ("bay gio", "hien", "luc nay", "right now", "now")
"""Ways to say just now."""
KEPT_IN_QUERY = frozenset({"event", "object", "colour"})
"""Words that became filters but belong to the picture that a remaining description paints."""
FEW_WORDS = 2
"""Words left over beside a known kind of event that describe nothing: `thằng nào … vậy bây`."""
NARROWER = {"gate_crowding": {"crowd", "congestion"}, "illegal_parking": {"sidewalk_encroachment"}}
"""Kinds whose words name others too: who parks on the pavement does not trade there, unless goods are spoken of."""
SEIZING = ("lan", "chiem", "stall", "stalls", "vendor", "vendors", "hang", "quan", "ban")
NATIVE_OBJECTS = {
    "illegal_dumping": ("rubbish",),
    "abandoned_object": ("bag",),
    "fire": ("fire", "smoke"),
    "smoke": ("smoke",),
}
"""Objects that a kind of event always has: naming them beside it narrows nothing and must not shut events out."""


def read_clause(clause: str, situation: Situation, lexicon: Lexicon | None = None) -> tuple[QueryPlan, Reading]:
    """Read one clause. Raises nothing: what is not understood stays in `query`."""
    reading = scan(read_text(clause), situation, lexicon or shipped())
    return build_plan(reading, situation), reading


def build_plan(reading: Reading, situation: Situation) -> QueryPlan:
    """Turn what was found into a plan."""
    plan = QueryPlan()
    _things(reading, plan)
    _time(reading, plan, situation)
    _where(reading, situation, plan)
    _references(reading, plan)
    groups = reading.values("group")
    plan.group_by = groups[:3]
    plan.compare_to = next(iter(reading.values("compare")), None)
    plan.forecast = reading.has("forecast")
    plan.metric = next(iter(reading.values("metric")), "count")
    plan.severity_min = next(iter(reading.values("severity")), None)
    plan.status = next(iter(reading.values("status")), None)
    plan.kind = next(iter(reading.values("kind")), None)
    plan.owner = next(iter(reading.values("owner")), None)
    plan.talk = next(iter(reading.values("talk")), None)
    plan.follow = "narrow" if "narrow" in reading.values("follow") else "replace" if reading.has("follow") else None
    if plan.group_by == [] and len(plan.areas) > 1 and reading.says("sanh", "compare", "comparing", "versus", "vs"):
        plan.group_by = ["area"]
    _fault(reading, plan)
    read_limit(reading, plan)
    plan.query = _remainder(reading)
    plan.intent = reading_intent(reading, plan)
    return plan


def _things(reading: Reading, plan: QueryPlan) -> None:
    denied = {number for match in reading.matches if match.category == "negation" for number in _denied(reading, match)}
    for match in reading.matches:
        if match.category == "object" and match.value != "vehicle":
            (plan.objects_not if match.start in denied else plan.objects).append(match.value)
        elif match.category == "event" and match.start not in denied and not _runs(reading, match):
            plan.event_types.extend(match.value.split("+"))
        elif match.category == "colour" and match.start not in denied:
            plan.colors.extend(match.value.split("+"))
    plan.colors.extend("orange" for match in reading.matches if _is_orange(reading, match))
    plan.objects = [name for name in dict.fromkeys(plan.objects) if name not in plan.objects_not]
    plan.objects_not = list(dict.fromkeys(plan.objects_not))
    plan.event_types = list(dict.fromkeys(plan.event_types))
    plan.colors = list(dict.fromkeys(plan.colors))
    if not plan.objects and any(_is_worn(reading, match) for match in reading.matches):
        plan.objects = ["person"]
    if plan.objects == ["rubbish"] and not plan.event_types:
        plan.event_types = ["illegal_dumping"]
    if plan.event_types and not plan.colors:
        native = {"person", *(name for event in plan.event_types for name in NATIVE_OBJECTS.get(event, ()))}
        plan.objects = [name for name in plan.objects if name not in native]
    if "stopped_vehicle" in plan.event_types and _splits(reading):
        plan.event_types.remove("stopped_vehicle")
    for kind, wider in NARROWER.items():
        if kind in plan.event_types and not (kind == "illegal_parking" and reading.says(*SEIZING)):
            plan.event_types = [name for name in plan.event_types if name not in wider]
    plan.min_count = reading.identifiers.min_count
    plan.plate = reading.identifiers.plate if normalise_plate(reading.identifiers.plate or "") else None


FAULT_OF_STATUS = {"offline": "camera_offline", "degraded": "image_degraded"}


_STATE = re.compile(
    r"(?<![0-9a-z])(?:tinh trang|trang thai|sao roi|the nao roi|ra sao roi|status|condition)(?![0-9a-z])"
)


def _asks_state(reading: Reading) -> bool:
    """`dạo này mờ mờ, tình trạng sao rồi`: how the camera is, not when it failed."""
    return _STATE.search(reading.text.plain) is not None


def _fault(reading: Reading, plan: QueryPlan) -> None:
    """A camera that was down at a time named is an event; one that is down now is a state of the camera."""
    if _asks_state(reading) and len(plan.camera_ids) == 1:
        return
    if plan.status in FAULT_OF_STATUS and plan.time_from is not None and not plan.at_present and not plan.event_types:
        plan.event_types, plan.status = [FAULT_OF_STATUS[plan.status]], None


def _is_worn(reading: Reading, match: Match) -> bool:
    """Whether a colour is that of what somebody wears: `áo đen`, `red jacket`."""
    worn = {"ao", "shirt", "jacket", "coat", "wearing", "dressed"}
    return match.category == "colour" and any(t.plain in worn for t in reading.text.tokens[match.start : match.end])


def _runs(reading: Reading, match: Match) -> bool:
    """Whether "chay" without marks is `chạy`, not `cháy`: somebody runs somewhere."""
    tokens, last = reading.text.tokens, match.end - 1
    if match.value != "fire" or tokens[last].plain != "chay" or not tokens[last].bare or match.end == len(tokens):
        return False
    return tokens[match.end].plain in {"xuong", "ra", "nguoc", "qua", "vao", "vo", "tren", "sai", "lan", "ngang"}


def _splits(reading: Reading) -> bool:
    """Whether "break down" asks for figures by something rather than telling of a vehicle."""
    return reading.has("group") and reading.says("break", "breakdown", "broken")


def _is_orange(reading: Reading, match: Match) -> bool:
    """Whether "cam" is the colour of what stands before it ("xe tải cam") and not a camera that follows."""
    tokens, before, after = reading.text.tokens, match.start - 1, match.end
    if match.category != "filler" or match.length != 1 or tokens[match.start].plain != "cam" or before < 0:
        return False
    if reading.taken.get(before) != "object":
        return False
    return after == len(tokens) or not (reading.taken.get(after) == "place" or tokens[after].plain.isdigit())


def _denied(reading: Reading, negation: Match) -> range:
    """The words right behind a negation, up to the first that is neither filler nor part of what is denied."""
    end = negation.end
    while end < len(reading.text.tokens) and reading.taken.get(end) in {"filler", "object", "colour", None}:
        if (
            end > negation.end
            and "," in reading.text.plain[reading.text.tokens[end - 1].end : reading.text.tokens[end].start]
        ):
            break
        if reading.taken.get(end) is None and end > negation.end:
            break
        end += 1
        if reading.taken.get(end - 1) == "object" and reading.taken.get(end) not in {"object", "colour"}:
            break
    return range(negation.end, end)


def _time(reading: Reading, plan: QueryPlan, situation: Situation) -> None:
    found = reading.time.range
    if found is not None:
        plan.time_from, plan.time_to, plan.time_point = found.time_from, found.time_to, found.point
        said = [reading.text.plain[start:end] for start, end in reading.time.spans]
        plan.at_present = (
            found.time_to == situation.now
            and not any(c.isdigit() for c in "".join(said))
            and any(word.startswith(PRESENT) for word in said)
        )


def _where(reading: Reading, situation: Situation, plan: QueryPlan) -> None:
    index = situation.places
    for match in reading.places:
        places = _preferred(match.places, situation)
        if _elsewhere(match, places, reading, situation):
            continue
        areas = [place for place in places if place.kind == "area"]
        cameras = [place for place in places if place.kind == "camera"]
        if areas and not cameras and _stretch(reading, match):
            cameras = list(index.along(reading.text.tokens[match.start : match.end]))
            areas = [] if cameras else areas
        if len(cameras) > 1:
            cameras = _on_side(reading, match, cameras)
        if areas and (not cameras or not reading.says("cam", "camera")):
            for area in areas:
                _add_area(area, index, plan)
        elif len(cameras) == 1:
            plan.camera_ids.append(cameras[0].id)
        elif cameras:
            plan.camera_options.extend(camera.id for camera in cameras)
    own = reading.values("own")
    plan.everywhere = plan.everywhere or "all" in own
    plan.own_area = "mine" in own
    if plan.own_area and not plan.areas:
        plan.areas = list(situation.own_areas)
    plan.areas = list(dict.fromkeys(plan.areas))
    _inside(index, plan)
    plan.camera_ids = list(dict.fromkeys(plan.camera_ids))
    plan.camera_options = [name for name in dict.fromkeys(plan.camera_options) if name not in plan.camera_ids]
    _near(reading, index, plan)
    if plan.camera_ids and plan.areas and not plan.own_area:
        homes = {
            code for camera in plan.camera_ids if (place := index.camera(camera)) for code in index.lineage(place.area)
        }
        plan.areas = [area for area in plan.areas if area not in homes]


STRETCHES = frozenset({"khuc", "doan", "quang", "nut", "goc", "stretch"})
"""Words before which the name of a ward is that of the road there."""


def _stretch(reading: Reading, match: PlaceMatch) -> bool:
    return match.start > 0 and reading.text.tokens[match.start - 1].plain in STRETCHES


SIDES = (
    frozenset({"truoc", "chinh", "chanh", "front", "main", "tien"}),
    frozenset({"sau", "lung", "behind", "back", "rear"}),
)
"""Words for the sides of a place, as people and names say them."""
BESIDE = 3


def _on_side(reading: Reading, match: PlaceMatch, cameras: list[Place]) -> list[Place]:
    """Of several cameras at a place those on the side spoken of: `sau chợ`, `behind the market`; else all."""
    tokens = reading.text.tokens
    near = [*tokens[max(0, match.start - BESIDE) : match.start], *tokens[match.end : match.end + BESIDE]]
    said = {token.plain for token in near if reading.taken.get(tokens.index(token)) != "fixed"}
    for side in SIDES:
        there = [camera for camera in cameras if side & {t.plain for t in read_text(camera.name).tokens}]
        if side & said and there:
            return there
    return cameras


def _inside(index: PlaceIndex, plan: QueryPlan) -> None:
    """Of several cameras that a name may mean those in the areas named beside it: `the hospital in Bạch Mai`."""
    named = set(plan.areas)
    there = [
        camera
        for camera in plan.camera_options
        if (place := index.camera(camera)) and named & set(index.lineage(place.area))
    ]
    if len(there) == 1 and not plan.camera_ids:
        plan.camera_ids, plan.camera_options = there, []
    elif there:
        plan.camera_options = there


def _preferred(places: Sequence[Place], situation: Situation) -> list[Place]:
    """Of several bearers of a name those in the caller's own areas, where there are any."""
    own = set(situation.own_areas)
    mine = [p for p in places if p.kind == "camera" and own & set(situation.places.lineage(p.area))]
    return mine if mine and len(places) > 1 and all(p.kind == "camera" for p in places) else list(places)


def _elsewhere(match: PlaceMatch, places: Sequence[Place], reading: Reading, situation: Situation) -> bool:
    """Whether a mere kind of place (`bờ hồ`) is none of the caller's own areas: it names no place elsewhere."""
    own = set(situation.own_areas)
    if not own or match.whole or not kind_of(reading.text.tokens[match.start : match.end]):
        return False
    return not any(own & set(situation.places.lineage(place.area)) for place in places)


def _add_area(area: Place, index: PlaceIndex, plan: QueryPlan) -> None:
    roots = [place for place in index.places if place.kind == "area" and not place.area]
    if (
        not area.area
        and len(roots) == 1
        and len(index.places) > 1
        and any(p.area == area.id for p in index.places if p.kind == "area")
    ):
        plan.everywhere = True
    else:
        plan.areas.append(area.id)


def _near(reading: Reading, index: PlaceIndex, plan: QueryPlan) -> None:
    radius = reading.identifiers.radius_m
    if radius is None or not (plan.camera_ids or plan.areas):
        return
    place = index.camera(plan.camera_ids[0]) if plan.camera_ids else index.area(plan.areas[0])
    if place is not None and place.location is not None:
        plan.near = NearPlan(lat=place.location[0], lon=place.location[1], radius_m=radius)
        plan.camera_ids, plan.areas, plan.camera_options = [], [], []


def _references(reading: Reading, plan: QueryPlan) -> None:
    ordinals = reading.values("ordinal")
    that = reading.has("reference")
    ids = reading.identifiers.event_ids
    if ids:
        plan.event = EventReference(event_id=ids[0])
    elif ordinals:
        plan.event = pointed(ordinals[0])
    elif that or (plan.time_point is not None and _one_thing(reading)):
        clock = plan.time_point if reading.time.range and not reading.time.range.dated else None
        plan.event = EventReference(that=that, clock=clock)
    plan.camera_that = reading.has("camera_reference")


def _one_thing(reading: Reading) -> bool:
    """Whether a clock time belongs to one thing of a list (`cái lúc 20h10`) rather than to a question."""
    if reading.says("co", "any", "nao", "may", "bao", "did", "were"):
        return False
    return reading.says("vu", "clip", "the", "cai", "con", "chiec", "video") or (
        not reading.has("event") and reading.says("luc")
    )


def pointed(value: str) -> EventReference:
    """The reference that a value of the dictionary of ordinals stands for."""
    if value.lstrip("-").isdigit():
        return EventReference(ordinal=int(value))
    return EventReference.model_validate({"which": value})


def _remainder(reading: Reading) -> str:
    """What stays to be described: nothing where every word became a filter, else the words that paint a picture."""
    left = [
        number
        for number, token in enumerate(reading.text.tokens)
        if number not in reading.taken and len(token.plain) > 1 and not token.plain.isdigit()
    ]
    if reading.places:
        words = telling(reading.text.tokens)
        left = [number for number in left if reading.text.tokens[number] in words]
    if not left or (len(left) <= FEW_WORDS and reading.has("event")):
        return ""
    kept = [
        token.typed
        for number, token in enumerate(reading.text.tokens)
        if number in left or reading.taken.get(number) in KEPT_IN_QUERY
    ]
    return " ".join(kept)


def clip_window(point: datetime) -> tuple[datetime, datetime]:
    """The stretch of video that a single named time asks for: half a minute before, two minutes after."""
    return point - timedelta(seconds=30), point + timedelta(minutes=2)
