"""Illegal dumping: rubbish appears where it must not be, stays, and whoever brought it is gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from matpho_contracts.vocabulary import VEHICLES, EventType, ObjectClass
from matpho_edge.detections import Detections, overlap_matrix
from matpho_edge.rules.contract import RuleHit, RuleParameters, live, seen_now
from matpho_edge.rules.zones import Zone, ZoneKind, of_kind
from matpho_edge.track import Track

_ITEMS = frozenset({ObjectClass.BAG, ObjectClass.RUBBISH})
_ACTORS = frozenset({ObjectClass.PERSON, *VEHICLES})
_LIES_S = 1.5
_SAME_PLACE = 0.35
"""Overlap from which on two things at different times are one thing."""
_BRING_S = 3.0
"""Who comes near within this time after the thing has appeared may still have brought it."""
_AS_NEAR = 0.01
"""Gaps that differ by less than this are equal."""
_LONG = 3.0
"""Bystanders may stay: after so many times `min_seconds` it is enough that one of the nearest has left."""


class IllegalDumpingParameters(RuleParameters):
    """Times in seconds, gaps between boxes as shares of the picture."""

    min_seconds: Annotated[float, Field(gt=0, le=3600)] = 5.0
    """How long the thing must lie."""
    learning_s: Annotated[float, Field(ge=0, le=600)] = 5.0
    """What is there from the start was there before."""
    near: Annotated[float, Field(gt=0, le=1)] = 0.04
    left: Annotated[float, Field(gt=0, le=1)] = 0.08
    forget_s: Annotated[float, Field(gt=0, le=86_400)] = 120.0
    """A thing not seen this long in plain view has been cleared away."""


@dataclass(slots=True)
class _Item:
    """One thing that lies or is carried, whatever ids the tracker gives it."""

    track_id: int
    box: NDArray[np.float32]
    first_seen: datetime
    visible_at: datetime
    """When it was last seen, or hidden behind somebody."""
    old: bool
    lay: bool = False
    """Whether it has lain still; what was only carried past leaves no place behind."""
    bringers: dict[int, float] = field(default_factory=dict)
    """Track id of who was near to the smallest gap."""


class IllegalDumping:
    """A thing is known by its place: a track that flickers is no new thing, and old rubbish is no event."""

    name = "illegal_dumping"
    event_type = EventType.ILLEGAL_DUMPING

    def __init__(self, parameters: IllegalDumpingParameters | None = None) -> None:
        self.parameters = parameters or IllegalDumpingParameters()
        self._items: list[_Item] = []
        self._began: datetime | None = None

    def needs(self) -> frozenset[str]:
        """A thing that can be dumped."""
        return _ITEMS

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """See the class."""
        self._began = self._began or at
        forbidden = of_kind(zones, ZoneKind.DUMPING)
        if not forbidden:
            return []
        actors = live(tracks, _ACTORS)
        hits = []
        for track in seen_now(tracks, _ITEMS):
            item = self._item_of(track, at)
            self._note_bringers(item, track, actors, at)
            zone = next((zone for zone in forbidden if zone.holds(*track.foot)), None)
            if zone is not None and self._dumped(item, track, actors, at):
                hits.append(self._hit(item, track, zone, at))
        self._forget(actors, at)
        return hits

    def _item_of(self, track: Track, at: datetime) -> _Item:
        item = next((item for item in self._items if item.track_id == track.id), None)
        if item is None:
            item = next((item for item in self._items if item.lay and _same_place(item.box, track.box)), None)
        if item is None:
            began = self._began or at
            old = (track.first_seen - began).total_seconds() < self.parameters.learning_s
            item = _Item(track.id, track.box, track.first_seen, at, old)
            self._items.append(item)
        item.track_id, item.box, item.visible_at = track.id, track.box, at
        item.lay = item.lay or track.still_for(at) >= _LIES_S
        return item

    def _note_bringers(self, item: _Item, track: Track, actors: Iterable[Track], at: datetime) -> None:
        """Who is near while the thing appears; who passes later has brought nothing."""
        if item.lay and (at - item.first_seen).total_seconds() > _BRING_S:
            return
        for actor in actors:
            gap = _gap(actor.box, track.box)
            if gap <= self.parameters.near:
                item.bringers[actor.id] = min(gap, item.bringers.get(actor.id, gap))

    def _dumped(self, item: _Item, track: Track, actors: Sequence[Track], at: datetime) -> bool:
        """It lies there, and those who were nearest when it came are gone; after a while one who is gone is enough."""
        lain = track.still_for(at)
        if item.old or not item.bringers or lain < self.parameters.min_seconds:
            return False
        near = {a.id for a in actors if a.missed == 0 and _gap(a.box, track.box) <= self.parameters.left}
        closest = min(item.bringers.values()) + _AS_NEAR
        suspects = {actor for actor, gap in item.bringers.items() if gap <= closest}
        if not suspects & near:
            return True
        return lain >= _LONG * self.parameters.min_seconds and bool(suspects - near)

    def _hit(self, item: _Item, track: Track, zone: Zone, at: datetime) -> RuleHit:
        parameters = self.parameters.plain()
        return RuleHit(self.name, self.event_type, item.first_seen, at, zone.name, (track,), parameters=parameters)

    def _forget(self, actors: Iterable[Track], at: datetime) -> None:
        """Let go of what has been cleared away; what somebody stands in front of may still be there."""
        hiders = [actor.box for actor in actors]
        for item in self._items:
            if any(_gap(box, item.box) == 0.0 for box in hiders):
                item.visible_at = at
        limit = self.parameters.forget_s
        self._items = [item for item in self._items if (at - item.visible_at).total_seconds() <= limit]


def _same_place(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    return bool(overlap_matrix(first[None, :], second[None, :])[0, 0] > _SAME_PLACE)


def _gap(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Distance between two boxes, 0 where they touch."""
    apart = np.maximum(np.maximum(first[:2] - second[2:], second[:2] - first[2:]), 0.0)
    return float(np.hypot(apart[0], apart[1]))
