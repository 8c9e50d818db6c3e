"""Putting a following sentence over the plan before it: what it replaces, adds, takes out, or no longer minds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from matpho_agent.language.pieces import blanked
from matpho_agent.language.times import read_time
from matpho_agent.planner.clause import Clause
from matpho_agent.planner.laterness import of_the_talk, time_of_talk
from matpho_agent.planner.plan import QueryPlan

Kind = Literal["remove", "add"]
LISTED = ("event_types", "objects", "colors", "areas", "camera_ids")
LOOKS = ("objects", "objects_not", "colors", "min_count", "plate", "severity_min")
"""What describes the things of one kind of event and goes with it."""
WIDE = (*LOOKS, "status", "kind", "owner")
_CUE = re.compile(
    r"(?<![0-9a-z])(?:(?P<remove>bo qua|bo ra|bo bot|bo|loai tru|loai bo|loai|ngoai tru|tru ra|tru|gat|bot"
    r"|khong tinh|khong ke"
    r"|khong lay|khoi lay|khoi tinh|dung lay|khong can|khoi can|chu khong phai|khong phai|leave out|drop|exclude"
    r"|excluding|remove"
    r"|without|except for|except|forget(?: about)?|never mind|minus|not counting|other than|no more)"
    r"|(?P<add>lay them|them ca|ke ca|tinh ca|gom ca|cong them|lay ca|cong ca|xem ca|coi ca|them|ca|include"
    r"|including|add"
    r"|plus|as well as|and also))(?![0-9a-z])"
)
_TOO = re.compile(r"(?<![0-9a-z])(?:too|as well|also|nua luon|luon the)[ .?!]*$")
_SCOPE = re.compile(r"[,;.]| (?:chi|only|just|lay|xem|coi|thay|doi|ma lay|instead|thoi(?! gian)) ")
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"mau(?: sac)?|colou?rs?", ("colors",)),
    (r"muc do|muc|do nghiem trong|severity", ("severity_min",)),
    (r"so luong|so nguoi|count", ("min_count",)),
    (r"bien so|bien|plate", ("plate",)),
    (r"loai xe|xe|phuong tien|doi tuong|vehicles?|objects?", ("objects", "objects_not", "colors")),
    (r"phuong|khu vuc|dia ban|dia diem|noi|cho|camera|cam|place|wards?|area|location", ("areas", "camera_ids", "near")),
    (r"thoi gian|ngay gio|ngay|gio|time|dates?|day", ("time_from", "time_to")),
    (r"chu quan|chu so huu|chu|owner", ("owner",)),
    (r"trang thai|tinh trang|status", ("status",)),
    (r"bo loc|loc|dieu kien|het loc|filters?", WIDE),
)
_WHAT = re.compile("|".join(rf"(?P<k{n}>{words})" for n, (words, _names) in enumerate(_KINDS)))
_ANY = re.compile(
    r"(?<![0-9a-z])(?:bat ky|bat cu|any|every|moi|tat ca cac|tat ca) (?P<a>mau|colou?r|xe|loai xe|vehicles?"
    r"|phuong tien|muc do"
    r"|muc|severity)(?![0-9a-z])|(?<![0-9a-z])(?P<b>mau|xe|loai xe|muc) (?:nao|gi) cung (?:duoc|lay)"
)
_THERE = re.compile(
    r"(?<![0-9a-z])(?:there|(?:same|that) (?:spot|place|street)|(?:cung|o|tai|ngay) (?:cho|noi|day|do))(?![0-9a-z])"
)
_OTHERS = re.compile(r"(?<![0-9a-z])(?:khac|others?|another|else)(?![0-9a-z])")
_BARE_COLOUR = re.compile(
    r"(?<![0-9a-z])(?:chiec|con|cai|mau|xe|thang|ao) (?P<c>den|do|trang|xanh|vang|xam|nau|bac|hong)(?= (?:thoi"
    r"|nha|a|ay|do|kia|di|nhe)|"
    r" *[.?!,]| *$)"
)
BARE: dict[str, tuple[str, ...]] = {
    "den": ("black",), "do": ("red",), "trang": ("white",), "xanh": ("blue", "green"), "vang": ("yellow",),
    "xam": ("grey",), "nau": ("brown",), "bac": ("silver",), "hong": ("pink",),
}  # fmt: skip
"""Colours typed without marks right behind what they colour."""
_ALL = re.compile(
    r"(?<![0-9a-z])(?:(?:lay|xem|coi|hien|liet ke|mo|de|cho)(?: lai| ra)? (?:het|tat ca|toan bo|tat)|(?:lay|xem) du"
    r"|tat ca(?: luon| di| het)?$|het luon$|show (?:me )?(?:all|everything)|all of (?:them|it)|everything(?: again)?$"
    r"|no filters?|the whole lot|back to all|all again)(?![0-9a-z])"
)


_EVERYTHING = re.compile(
    r"(?<![0-9a-z])(?:everything(?: else)?|anything(?: at all| else)?|(?:all|any) (?:kinds? of )?events"
    r"|moi (?:thu|chuyen|su kien|vu viec|loai su kien)|tat ca (?:cac )?su kien)(?![0-9a-z])"
)
"""Whatever has happened, of any kind."""


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of the sentence that takes things out or adds them."""

    kind: Kind
    start: int
    end: int


def changes(clause: Clause) -> list[Change]:
    """The stretches that take out or add, each up to the next cue, comma or word of choice."""
    plain = clause.free.plain
    cues = [match for match in _CUE.finditer(plain) if _cues(match, clause)]
    found = []
    for number, cue in enumerate(cues):
        stop = _SCOPE.search(plain, cue.end())
        ends = [len(plain), *([stop.start()] if stop else []), *(later.start() for later in cues[number + 1 :])]
        found.append(Change("remove" if cue["remove"] else "add", cue.start(), min(ends)))
    if not found and _TOO.search(plain) and not _THERE.search(plain):
        found.append(Change("add", 0, len(plain)))
    return found


def _cues(match: re.Match[str], clause: Clause) -> bool:
    """`bộ`, `bờ`, `cả` and `ca` look alike bare; typed with marks they must be the right ones."""
    typed = clause.free.typed[match.start() : match.end()].casefold()
    if match[0] == "bo" and _WALKING.search(clause.free.plain[: match.start()]):
        return False
    if match[0] == "loai" and _a_kind(match, clause):
        return False
    if match[0] == "ca":
        return typed == "cả" and not re.match(
            r" (?:ngay|tuan|thang|dem|thanh pho|tinh|phuong|buoi)", clause.free.plain[match.end() :]
        )
    return match[0] not in {"bo", "tru", "bot", "loai", "gat"} or typed in {
        "bo",
        "bỏ",
        "trừ",
        "tru",
        "bớt",
        "bot",
        "loại",
        "loai",
        "gạt",
        "gat",
    }


def _a_kind(match: re.Match[str], clause: Clause) -> bool:
    """Whether `loại` is a kind rather than a leaving out: `theo loại`, `loại sự kiện nào`."""
    before, after = clause.free.plain[: match.start()], clause.free.plain[match.end() :]
    return bool(_KIND_BEFORE.search(before) or re.match(r" (?:xe|gi|nao|hinh|phuong tien|su kien|vi pham)", after))


_KIND_BEFORE = re.compile(r"(?<![0-9a-z])(?:theo|tung|cac|moi|may|top|nhung|mot|hai|ba|phan|cung|du|nhieu) $")
_WALKING = re.compile(r"(?<![0-9a-z])(?:di|nguoi|can|toan|noi|duong|tan|trai) $")
"""Words before which `bo` is `bộ`: `đi bộ`, `cán bộ`, `toàn bộ`."""


def bare_colour(clause: Clause) -> bool:
    """Whether a colour stands without its marks behind a thing: `chiec den thoi`."""
    return bool(_BARE_COLOUR.search(clause.free.plain))


def widens(clause: Clause) -> bool:
    """`thôi lấy hết`, `show me all`: the narrowing so far no longer counts."""
    return bool(_ALL.search(clause.free.plain) or _ANY.search(clause.free.plain))


def merged(plan: QueryPlan, before: QueryPlan, clause: Clause, *, other_kind: bool = False) -> QueryPlan:
    """The earlier plan with what the clause says put in its place; with `other_kind` only its place and time stay.

    A new kind with a time of its own is asked of everywhere, unless the words point at the place.
    """
    result = before.model_copy(deep=True)
    if other_kind:
        for name in (*LOOKS, "event_types"):
            setattr(result, name, type(getattr(QueryPlan(), name))() if name in LISTED else None)
        result.objects_not = []
        if plan.time_from and not (plan.camera_that or of_the_talk(clause) or _THERE.search(clause.free.plain)):
            result.areas, result.camera_ids, result.camera_options, result.near = [], [], [], None
    spans = changes(clause)
    timed = time_of_talk(plan, before, clause) is not None
    adds_words = plan.query and not (plan.has_filters() or timed or spans or clause.plan.follow == "replace")
    result.query = plan.query if adds_words else "" if other_kind else before.query
    taken = _clear(result, clause, spans)
    _lists(result, plan, before, clause, spans)
    if plan.objects and not plan.colors and plan.time_from and not set(result.objects) & set(before.objects):
        result.colors = []  # another thing on another day is asked after whatever its colour
    bare = _BARE_COLOUR.search(clause.free.plain)
    if bare and not plan.colors and clause.free.typed[bare.start("c") : bare.end("c")].casefold() == bare["c"]:
        result.colors = list(BARE[bare["c"]])
    for name in ("min_count", "plate", "severity_min", "status", "kind", "owner"):
        said = getattr(plan, name)
        if said and name not in taken:
            setattr(result, name, said)
    _place(result, plan, clause, spans)
    _time(result, plan, before, clause, spans)
    _figures(result, plan, before)
    if result.min_count and result.objects == ["person"] and result.event_types:
        result.objects = []
    return result


def _clear(result: QueryPlan, clause: Clause, spans: list[Change]) -> set[str]:
    """Empty the fields that are named as no longer wanted; returns their names."""
    plain, names = clause.free.plain, set[str]()
    for span in spans:
        if span.kind == "remove" and not any(span.start <= start < span.end for start in _named(clause)):
            rest = re.sub(_CUE, " ", plain[span.start : span.end])
            told = [
                next(fields for n, (_words, fields) in enumerate(_KINDS) if match[f"k{n}"])
                for match in _WHAT.finditer(rest)
            ]
            narrow = [fields for fields in told if fields != WIDE]  # `bỏ điều kiện chủ quản` is about the owner
            names |= {name for fields in narrow or told for name in fields}
    for match in _ANY.finditer(plain):
        what = _WHAT.match(match["a"] or match["b"])
        if what:
            names |= set(next(fields for n, (_words, fields) in enumerate(_KINDS) if what[f"k{n}"]))
    if _OTHERS.search(plain) or _asks_any(clause):
        names |= set(LOOKS)
    if _ALL.search(plain) and not names:  # `bỏ màu đi, lấy hết` takes out the colour alone
        names |= set(WIDE)
        result.query = ""
    if _EVERYTHING.search(plain):
        names |= {"event_types", "objects", "objects_not", "colors"}
        result.query = ""
    empty = QueryPlan()
    for name in names:
        setattr(result, name, getattr(empty, name))
    return names


_ANY_VEHICLE = re.compile(
    r"(?<![0-9a-z])(?:(?:xe|con xe|thang|ai|dua) (?:nao|mo|gi|chi)|any (?:vehicle|one)s?)(?![0-9a-z])"
)


def _asks_any(clause: Clause) -> bool:
    """`có xe nào … nữa không`, `có xe đạp mô`: asked anew of any such thing, whatever its looks were before."""
    if clause.plan.follow == "narrow" or clause.plan.colors:
        return False
    things = [m.end for m in clause.reading.matches if m.category == "object"]
    tokens = clause.reading.text.tokens
    asked = any(end < len(tokens) and tokens[end].plain in {"nao", "mo"} for end in things)
    return asked or bool(_ANY_VEHICLE.search(clause.free.plain))


def _named(clause: Clause) -> Iterator[int]:
    """Where the clause names things, kinds, colours and places."""
    tokens = clause.reading.text.tokens
    for match in clause.reading.matches:
        if match.category in {"object", "event", "colour"} and match.value != "vehicle":
            yield tokens[match.start].start
    for place in clause.reading.places:
        yield tokens[place.start].start
    for start, _end in clause.reading.time.spans:
        yield start


def _sorted(clause: Clause, spans: list[Change], category: str) -> dict[str, list[str]]:
    """What the clause names of a category, as it is taken out, added or simply said."""
    tokens = clause.reading.text.tokens
    told: dict[str, list[str]] = {"remove": [], "add": [], "said": []}
    for match in clause.reading.matches:
        if match.category == category and match.value != "vehicle":
            place = tokens[match.start].start
            kind = next((span.kind for span in spans if span.start <= place < span.end), "said")
            told[kind] += match.value.split("+")
    return told


def _lists(result: QueryPlan, plan: QueryPlan, before: QueryPlan, clause: Clause, spans: list[Change]) -> None:
    for name, category in (("event_types", "event"), ("objects", "object"), ("colors", "colour")):
        told = _sorted(clause, spans, category)
        now = list(getattr(result, name))
        known = set(told["said"]) & set(getattr(plan, name)) if name != "colors" else set(getattr(plan, name))
        said = [
            value for value in getattr(plan, name) if value in known and value not in (*told["remove"], *told["add"])
        ]
        now = said or now
        if told["add"]:
            now = [*now, *told["add"]] if now else (told["add"] if name != "objects" or said else [])
        now = list(dict.fromkeys(value for value in now if value not in told["remove"]))
        setattr(result, name, now)
        if name == "objects":
            gone = [value for value in told["remove"] if value not in before.objects]
            kept = [
                value for value in (*result.objects_not, *plan.objects_not, *gone) if value not in (*now, *told["add"])
            ]
            result.objects_not = list(dict.fromkeys(kept))


def _place(result: QueryPlan, plan: QueryPlan, clause: Clause, spans: list[Change]) -> None:
    """A new place takes the place of the old one; places taken out or added change the list."""
    tokens = clause.reading.text.tokens
    gone, more = set[str](), list[str]()
    for match in clause.reading.places:
        kind = next((s.kind for s in spans if s.start <= tokens[match.start].start < s.end), "")
        ids = [place.id for place in match.places]
        gone |= set(ids) if kind == "remove" else set()
        more += ids if kind == "add" else []
    areas = [name for name in plan.areas if name not in gone]
    cameras = [name for name in plan.camera_ids if name not in gone]
    alike = (areas and result.areas) or (cameras and result.camera_ids)
    if more and alike:
        result.areas = list(dict.fromkeys([*result.areas, *areas]))
        result.camera_ids = list(dict.fromkeys([*result.camera_ids, *cameras]))
    elif plan.own_area and not areas and not cameras:
        homes = [place.area for name in result.camera_ids if (place := clause.situation.places.camera(name))]
        result.areas, result.camera_ids, result.camera_options = homes or result.areas, [], []
    elif areas or cameras or plan.near or plan.everywhere:
        result.areas, result.camera_ids, result.near = areas, cameras, plan.near
        result.camera_options, result.everywhere = list(plan.camera_options), plan.everywhere
    elif plan.camera_options and not gone:
        result.areas, result.camera_ids, result.camera_options = [], [], list(plan.camera_options)
    elif gone:
        result.areas = [name for name in result.areas if name not in gone]
        result.camera_ids = [name for name in result.camera_ids if name not in gone]


def _time(result: QueryPlan, plan: QueryPlan, before: QueryPlan, clause: Clause, spans: list[Change]) -> None:
    told = time_of_talk(plan, before, clause)
    if told is None:
        return
    times = clause.reading.time.spans
    gone = [(a, b) for a, b in times if any(s.kind == "remove" and s.start <= a < s.end for s in spans)]
    if gone and len(gone) == len(times):
        return
    if gone and (kept := read_time(blanked(clause.free, gone), clause.situation.now).range) is not None:
        told = kept.time_from, kept.time_to
    begin = times[0][0] if times and not gone else -1
    kind = next((span.kind for span in spans if span.start <= begin < span.end), "")
    if kind == "add" and before.time_from and before.time_to and told[0] and told[1]:
        told = min(before.time_from, told[0]), max(before.time_to, told[1])
    result.time_from, result.time_to, result.time_point = told[0], told[1], plan.time_point


def _figures(result: QueryPlan, plan: QueryPlan, before: QueryPlan) -> None:
    result.intent = plan.intent or before.intent
    if result.intent == "search_events":
        result.group_by, result.compare_to = [], None
    result.forecast, result.forecast_days = plan.forecast, plan.forecast_days
    result.group_by = plan.group_by or result.group_by
    result.compare_to = plan.compare_to or result.compare_to
    result.metric = plan.metric if plan.metric != "count" else result.metric
    result.limit = None
