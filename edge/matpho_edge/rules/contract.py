"""What a rule is: tracks and detections of one look in, hits out; no pictures, no clock, no disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from matpho_contracts.settings import SettingsBase
from matpho_contracts.vocabulary import EVENT_TYPES, VEHICLES, EventType, ObjectClass, Severity
from matpho_edge.detections import Detections
from matpho_edge.rules.zones import Zone
from matpho_edge.track import Track

Parameters = dict[str, str | int | float | bool]


class RuleParameters(SettingsBase):
    """Base of every rule's parameters: what they are is part of the event."""

    enabled: bool = True

    def plain(self) -> Parameters:
        """Name to value, as the event carries them; lists become comma-separated words."""
        values = self.model_dump(exclude={"enabled"}, mode="json")
        return {
            key: ",".join(str(item) for item in value) if isinstance(value, list) else value
            for key, value in values.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule's condition holds now. It is reported at every look; the engine makes one event of it."""

    rule: str
    event_type: EventType
    start: datetime
    """Since when the condition has held."""
    end: datetime
    zone: str | None = None
    tracks: tuple[Track, ...] = ()
    """Those concerned, the main one first."""
    found: Detections = field(default_factory=Detections.none)
    """Detections concerned that are no tracks (fire and smoke have no id)."""
    count: int = 0
    """How many there are at once; 0 means as many as are listed."""
    parameters: Parameters = field(default_factory=dict)
    severity: Severity | None = None
    """None for the event type's own."""

    @property
    def weight(self) -> Severity:
        """The severity it shall have."""
        return self.severity if self.severity is not None else EVENT_TYPES[self.event_type][1]

    @property
    def key(self) -> tuple[str, str | None, int | None]:
        """What makes two hits one event: the rule, the zone and the main track."""
        return self.rule, self.zone, self.tracks[0].id if self.tracks else None


class Rule(Protocol):
    """One camera's rule; keeps what it must remember between looks."""

    @property
    def name(self) -> str:
        """Its name in settings and events."""

    @property
    def event_type(self) -> EventType:
        """What it finds."""

    def observe(
        self, tracks: Sequence[Track], detections: Detections, at: datetime, zones: Sequence[Zone]
    ) -> list[RuleHit]:
        """Judge one look. `tracks` holds confirmed tracks, those that just ended marked so; `at` never goes back."""

    def needs(self) -> frozenset[str]:
        """Object classes of which the detector must know at least one for this rule to find anything."""


def live(tracks: Iterable[Track], labels: Iterable[str] | None = None) -> list[Track]:
    """Tracks that go on, of the given classes."""
    wanted = None if labels is None else set(labels)
    return [track for track in tracks if not track.ended and (wanted is None or track.label in wanted)]


def seen_now(tracks: Iterable[Track], labels: Iterable[str] | None = None) -> list[Track]:
    """Tracks that are in the newest picture, of the given classes."""
    return [track for track in live(tracks, labels) if track.missed == 0]


MOTOR_VEHICLES = frozenset(VEHICLES - {ObjectClass.BICYCLE})
EMERGENCY = frozenset({ObjectClass.AMBULANCE, ObjectClass.FIRE_ENGINE})


class Since:
    """Remembers since when something has held for each key; a short interruption does not end it."""

    def __init__(self, grace_s: float) -> None:
        self._grace = grace_s
        self._spans: dict[tuple[object, ...], tuple[datetime, datetime, int]] = {}

    def hold(self, key: tuple[object, ...], at: datetime) -> tuple[datetime, int]:
        """It holds now: since when, and at how many looks."""
        start, _, looks = self._spans.get(key, (at, at, 0))
        self._spans[key] = (start, at, looks + 1)
        return start, looks + 1

    def sweep(self, at: datetime) -> None:
        """Forget what has not held for longer than the grace."""
        self._spans = {key: span for key, span in self._spans.items() if (at - span[1]).total_seconds() <= self._grace}
