"""The rule engine: asks every rule at every look and makes one event of what goes on for a while."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from matpho_edge.detections import Detections, overlap_matrix
from matpho_edge.rules.contract import Rule, RuleHit
from matpho_edge.rules.zones import Zone
from matpho_edge.track import Track

COOLDOWN_S = 30.0
"""A condition that was away for less than this is the same event still."""
REPEAT_S = 900.0
"""A condition that never ends is reported again this often."""
_SAME_PLACE = 0.5


@dataclass(slots=True)
class _Running:
    """An event that goes on."""

    reported: datetime
    last: datetime
    box: NDArray[np.float32] | None


class RuleEngine:
    """One camera's rules with their memory of what has been reported. Not thread-safe."""

    def __init__(
        self,
        rules: Sequence[Rule],
        zones: Sequence[Zone] = (),
        *,
        cooldown_s: float = COOLDOWN_S,
        repeat_s: float = REPEAT_S,
    ) -> None:
        self.rules = tuple(rules)
        self.zones = tuple(zones)
        self._cooldown_s, self._repeat_s = cooldown_s, repeat_s
        self._running: dict[tuple[str, str | None, int | None], _Running] = {}

    def observe(self, tracks: Sequence[Track], detections: Detections, at: datetime) -> list[RuleHit]:
        """Hits that are new at this look, the gravest first."""
        new = [
            hit
            for rule in self.rules
            for hit in rule.observe(tracks, detections, at, self.zones)
            if self._is_new(hit, at)
        ]
        self._running = {
            key: running
            for key, running in self._running.items()
            if (at - running.last).total_seconds() <= self._cooldown_s
        }
        return sorted(new, key=lambda hit: -hit.weight.rank)

    def _is_new(self, hit: RuleHit, at: datetime) -> bool:
        running = self._running.get(hit.key) or self._same_thing(hit, at)
        box = hit.tracks[0].box if hit.tracks else None
        if running is None:
            self._running[hit.key] = _Running(at, at, box)
            return True
        again = (at - running.reported).total_seconds() >= self._repeat_s
        running.last, running.box = at, box
        if again:
            running.reported = at
        self._running[hit.key] = running
        return again

    def _same_thing(self, hit: RuleHit, at: datetime) -> _Running | None:
        """A running event of the same rule and zone at the same place whose track has got another id."""
        if not hit.tracks or hit.rule == "object_seen":
            return None
        for (rule, zone, track), running in self._running.items():
            if (rule, zone) != (hit.rule, hit.zone) or track is None or running.box is None or running.last == at:
                continue
            if overlap_matrix(running.box[None, :], hit.tracks[0].box[None, :])[0, 0] > _SAME_PLACE:
                return running
        return None
