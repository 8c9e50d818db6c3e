"""Whether a call's arguments and an answer's words are what a set wants, by the rules of its format alone.

A wanted string meets one that differs in case and marks only, or the same moment written otherwise; a list is a set; a
number is within 1e-6; `{"between": [a, b]}` is a closed range of numbers or moments; `{"any": [...]}` one of these;
`{"absent": true}` none given; any other object is compared key by key. Areas, cameras and units are the same when they
are the same thing of the world, by whatever name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from matpho.eval.agent_set import Says, as_moment, is_absent, is_any, is_between
from matpho.eval.world_file import World
from matpho_contracts.text import fold
from matpho_contracts.times import VIETNAM

NEAR = 1e-6
_KINDS: dict[str, Literal["area", "camera", "unit"]] = {
    "area": "area",
    "areas": "area",
    "camera_id": "camera",
    "camera_ids": "camera",
    "unit_id": "unit",
}
"""Arguments that name a thing of the world."""


def agrees(wanted: Any, got: Any, world: World, key: str = "") -> bool:
    """Whether the value that a call carries under `key` is what is wanted."""
    if is_absent(wanted):
        return not _given(got)
    if is_any(wanted):
        return any(agrees(one, got, world, key) for one in wanted["any"])
    if is_between(wanted):
        return _between(wanted["between"], got)
    if isinstance(wanted, Mapping):
        return isinstance(got, Mapping) and all(agrees(wanted[name], got.get(name), world, name) for name in wanted)
    if isinstance(wanted, list) or (isinstance(got, Sequence) and not isinstance(got, str)):
        return _same_set(_listed(wanted), _listed(got), world, key)
    return _same(wanted, got, world, key)


def missing_words(says: Says, answer: str) -> list[str]:
    """What is wrong with an answer's words, each in a few words; empty when nothing is."""
    folded = fold(answer)
    wrong = [f"says not {word!r}" for word in says.all if fold(word) not in folded]
    if says.any and not any(fold(word) in folded for word in says.any):
        wrong.append(f"says none of {list(says.any)}")
    return wrong + [f"says {word!r}" for word in says.none if fold(word) in folded]


def _given(got: Any) -> bool:
    return got is not None and got not in ("", [], {})


def _listed(value: Any) -> list[Any]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return list(value)
    return [value] if _given(value) else []


def _same_set(wanted: list[Any], got: list[Any], world: World, key: str) -> bool:
    found = all(any(agrees(one, other, world, key) for other in got) for one in wanted)
    return found and all(any(agrees(one, other, world, key) for one in wanted) for other in got)


def _same(wanted: Any, got: Any, world: World, key: str) -> bool:
    if wanted is None:
        return not _given(got)
    if isinstance(wanted, bool) or isinstance(got, bool):
        return wanted is got
    if isinstance(wanted, int | float):
        return isinstance(got, int | float) and abs(wanted - got) <= NEAR
    if not isinstance(got, str):
        return False
    if fold(wanted) == fold(got) or _same_moment(wanted, got):
        return True
    kind = _KINDS.get(key)
    return kind is not None and bool(world.named(kind, wanted) & world.named(kind, got))


def _same_moment(wanted: str, got: str) -> bool:
    moment = as_moment(wanted)
    return moment is not None and moment == as_moment(got)


def _between(ends: Sequence[Any], got: Any) -> bool:
    low, high = ends
    if isinstance(low, str):
        moment, first, last = _local_moment(got), as_moment(low), as_moment(high)
        return moment is not None and first is not None and last is not None and first <= moment <= last
    number = isinstance(got, int | float) and not isinstance(got, bool)
    return number and low - NEAR <= got <= high + NEAR


def _local_moment(got: Any) -> datetime | None:
    """A moment as a call writes it; a day alone, or a time without an offset, is meant in Vietnam."""
    if not isinstance(got, str):
        return None
    try:
        moment = datetime.fromisoformat(got)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=VIETNAM)
