"""When somebody may be told: quiet hours, snoozing, cool-down of a camera, limits. Pure.

1 a critical notice passes quiet hours, snoozing and cool-down; 2 the end of quiet hours is that of the person's own
clock in Vietnam; 3 whoever has had `group_from` messages within a minute gets the next ones together; 4 whoever has had
`per_minute` of them gets none until there is room, then one that tells of all
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from matpho_contracts.times import VIETNAM, from_unix_ms, unix_ms
from matpho_platform.notify.people import Preferences
from matpho_platform.notify.settings import Manners

MINUTE_MS = 60_000
BEFORE_END_MS = 60_000
"""What waits is told at least this long before nobody needs it any more."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known about a person and a channel when something is to be told. Times are Unix ms."""

    at_ms: int
    critical: bool
    expires_ms: int
    preferences: Preferences
    muted_until_ms: int = 0
    told_of_camera_ms: int | None = None
    """When they were last told of the same camera."""
    in_last_minute: int = 0
    """Messages to them over this channel."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """When to tell (Unix ms), and from when on it is owed: limits delay, but what they delay is owed all the same."""

    due_ms: int
    owed_ms: int


def judge(situation: Situation, manners: Manners) -> Verdict:
    """When somebody may be told."""
    at_ms = situation.at_ms
    wait = at_ms if situation.critical else max(at_ms, *_waits(situation, manners))  # 1
    wait = min(wait, max(at_ms, situation.expires_ms - BEFORE_END_MS))
    due = wait
    if situation.in_last_minute >= manners.per_minute:  # 4
        due = max(due, at_ms + MINUTE_MS // 4)
    elif situation.in_last_minute >= manners.group_from:  # 3
        due = max(due, at_ms + manners.group_s * 1000)
    return Verdict(due, wait)


def _waits(situation: Situation, manners: Manners) -> tuple[int, ...]:
    told = situation.told_of_camera_ms
    cooled = told + manners.cooldown_s * 1000 if told is not None else 0
    return quiet_until(situation.preferences, situation.at_ms), situation.muted_until_ms, cooled


def quiet_until(preferences: Preferences, at_ms: int) -> int:
    """The end of the quiet hours that a moment lies in (Unix ms), or the moment itself."""
    begin, end = preferences.quiet_from, preferences.quiet_to
    if begin is None or end is None or begin == end:
        return at_ms
    local = from_unix_ms(at_ms).astimezone(VIETNAM)
    minute = local.hour * 60 + local.minute
    quiet = begin <= minute < end if begin < end else minute >= begin or minute < end
    return unix_ms(_next(local, end)) if quiet else at_ms


def _next(local: datetime, minute: int) -> datetime:
    """The next time that a local clock shows a minute of the day."""  # 2
    today = local.replace(hour=minute // 60, minute=minute % 60, second=0, microsecond=0)
    return today if today > local else today + timedelta(days=1)
