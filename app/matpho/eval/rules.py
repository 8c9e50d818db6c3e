"""`matpho eval rules`: the rules on held-out days, by the shipped detector, against what was truly acted.

Every camera is filmed for some minutes and judged by the box's own pipeline. An event is right when something of its
type was acted at that camera then; each acted event counts once, found or missed. What is reported and was not acted is
false, unless it repeats what was found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from matpho.eval.days import RULES, film
from matpho_contracts.times import VIETNAM
from matpho_edge.detect import load_detector
from matpho_simcity.sites import city
from matpho_simcity.world.incidents import ExpectedEvent

SECONDS = 180
SEED = "held-out-rules-2026"
HOUR = 15.0
EARLY_S, LATE_S = 6.0, 30.0
"""A report may come so long before or after what was acted: rules wait before they are sure."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What the box reported: its type and when, seconds after the script began."""

    type: str
    at: float


def run(seconds: int = SECONDS, seed: str = SEED, *, cameras: int | None = None) -> dict[str, Any]:
    """Rows by type: acted, found, recall, false reports; and all types together. The first `cameras`, or all."""
    acted, found, false = Counter[str](), Counter[str](), Counter[str]()
    detector = load_detector("city-detector", threads=2)
    sites = city(seed, hour=HOUR)[:cameras]
    for site in sites:
        began = datetime(2026, 3, 1, int(HOUR), tzinfo=VIETNAM)
        events = (labelled.composed.event for labelled in film(site, began, float(seconds), detector, None))
        reported = [
            Reported(event.event_type, (event.time - began).total_seconds())
            for event in events
            if event.event_type in RULES
        ]
        expected = [event for event in site.script.expected(0.0, float(seconds)) if event.type in RULES]
        acted.update(event.type for event in expected if event.start + LATE_S <= seconds)
        hits = matched(expected, reported)
        found.update(event.type for event in hits.values() if event.start + LATE_S <= seconds)
        false.update(one.type for one in unacted(expected, reported))
    rows = list(_rows(acted, found, false))
    return {
        "rows": rows,
        "cameras": len(sites),
        "seconds": seconds,
        "seed": seed,
        "acted": acted.total(),
        "found": found.total(),
        "false": false.total(),
        "false_per_camera_hour": round(false.total() / (len(sites) * seconds / 3600), 2),
    }


def matched(expected: Sequence[ExpectedEvent], reported: Sequence[Reported]) -> dict[int, ExpectedEvent]:
    """The acted events that were reported, by their place in `expected`."""
    hits: dict[int, ExpectedEvent] = {}
    for number, event in enumerate(expected):
        if any(_answers(event, one) for one in reported):
            hits[number] = event
    return hits


def unacted(expected: Sequence[ExpectedEvent], reported: Sequence[Reported]) -> list[Reported]:
    """Reports of what nobody acted."""
    return [one for one in reported if not any(_answers(event, one) for event in expected)]


def _answers(event: ExpectedEvent, one: Reported) -> bool:
    return one.type == event.type and event.start - EARLY_S <= one.at <= event.end + LATE_S


def _rows(acted: Counter[str], found: Counter[str], false: Counter[str]) -> Iterator[dict[str, Any]]:
    for name in sorted(set(acted) | set(false)):
        recall = round(found[name] / acted[name], 3) if acted[name] else None
        yield {"type": str(name), "acted": acted[name], "found": found[name], "recall": recall, "false": false[name]}
