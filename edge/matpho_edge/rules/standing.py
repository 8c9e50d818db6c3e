"""What stopping and parking have in common: vehicles that have kept their place in a zone for some time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from matpho_edge.rules.contract import MOTOR_VEHICLES, live
from matpho_edge.rules.zones import Zone
from matpho_edge.track import Track

UNSEEN_S = 10.0
"""A vehicle that has been hidden longer than this is not said to stand there."""


def standing(tracks: Sequence[Track], zone: Zone, at: datetime, seconds: float) -> list[tuple[Track, datetime]]:
    """Motor vehicles that have stood in the zone for at least `seconds`, with the time since when."""
    found = []
    for track in live(tracks, MOTOR_VEHICLES):
        hidden = (at - track.last_seen).total_seconds()
        if track.still_since is None or hidden > UNSEEN_S or not zone.holds(*track.foot):
            continue
        if (track.last_seen - track.still_since) >= timedelta(seconds=seconds):
            found.append((track, track.still_since))
    return found
