"""A lens that needs time to turn: absolute, relative and continuous moves at a speed, presets and a home position."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from matpho_simcity.video import PtzPosition

# Full speed in generic units per second: pan spans 2 units over 360 degrees, so 0.5 is 90 degrees a second.
MAX_SPEED = PtzPosition(pan=0.5, tilt=0.5, zoom=0.4)
LIMITS = {"pan": (-1.0, 1.0), "tilt": (-1.0, 1.0), "zoom": (0.0, 1.0)}
AXES = ("pan", "tilt", "zoom")


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis moving evenly from `start` at `since` with `velocity` (units/s) until it reaches `goal` or `until`."""

    start: float
    since: float = 0.0
    velocity: float = 0.0
    goal: float = 0.0
    until: float = float("inf")

    def at(self, now: float) -> float:
        reached = self.start + self.velocity * max(0.0, min(now, self.until) - self.since)
        if self.velocity > 0:
            return min(reached, self.goal)
        return max(reached, self.goal) if self.velocity < 0 else self.start

    def moving(self, now: float) -> bool:
        return self.velocity != 0 and now < self.until and self.at(now) != self.goal


class Lens:
    """Where the lens points now. Asked by the picture's thread, moved by the network's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._axes = {axis: _Axis(0.0) for axis in AXES}

    @property
    def position(self) -> PtzPosition:
        """The position at this moment."""
        now = self._clock()
        with self._lock:
            return PtzPosition(**{axis: self._axes[axis].at(now) for axis in AXES})

    @property
    def moving(self) -> tuple[bool, bool]:
        """(pan or tilt is moving, zoom is moving)."""
        now = self._clock()
        with self._lock:
            pan, tilt, zoom = (self._axes[axis].moving(now) for axis in AXES)
        return pan or tilt, zoom

    def move_to(self, goals: dict[str, float], speeds: dict[str, float] | None = None) -> None:
        """Turn the named axes towards goals (clamped to the limits) at speeds in (0, 1], 1 (full) where not given."""
        now = self._clock()
        with self._lock:
            for axis, wanted in goals.items():
                low, high = LIMITS[axis]
                goal, here = min(max(wanted, low), high), self._axes[axis].at(now)
                speed = abs((speeds or {}).get(axis) or 1.0) * float(getattr(MAX_SPEED, axis))
                self._axes[axis] = _Axis(here, now, speed if goal > here else -speed if goal < here else 0.0, goal)

    def move_by(self, steps: dict[str, float], speeds: dict[str, float] | None = None) -> None:
        """Turn the named axes by so much from where they are."""
        here = self.position
        self.move_to({axis: float(getattr(here, axis)) + step for axis, step in steps.items()}, speeds)

    def run(self, velocities: dict[str, float], seconds: float) -> None:
        """Turn the named axes at velocities in [-1, 1] of full speed until stopped, a limit is met or time is up."""
        now = self._clock()
        with self._lock:
            for axis, share in velocities.items():
                low, high = LIMITS[axis]
                velocity = share * float(getattr(MAX_SPEED, axis))
                goal = high if velocity > 0 else low
                self._axes[axis] = _Axis(self._axes[axis].at(now), now, velocity, goal, now + seconds)

    def stop(self, axes: tuple[str, ...] = AXES) -> None:
        """Stand still at once on the named axes."""
        now = self._clock()
        with self._lock:
            for axis in axes:
                self._axes[axis] = _Axis(self._axes[axis].at(now))
