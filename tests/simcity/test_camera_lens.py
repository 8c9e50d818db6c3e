"""The lens takes its time, stops where told and never leaves its limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matpho_simcity.camera.lens import LIMITS, MAX_SPEED, Lens
from matpho_simcity.video import PtzPosition


class Clock:
    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lens(clock: Clock) -> Lens:
    return Lens(clock)


class TestMoves:
    def test_absolute_takes_time(self, lens: Lens, clock: Clock) -> None:
        lens.move_to({"pan": 0.5, "tilt": -0.25})
        assert lens.position == PtzPosition()
        assert lens.moving == (True, False)
        clock.now += 0.5
        assert lens.position == PtzPosition(pan=0.25, tilt=-0.25)
        clock.now += 10
        assert lens.position == PtzPosition(pan=0.5, tilt=-0.25)
        assert lens.moving == (False, False)

    def test_slower_speed(self, lens: Lens, clock: Clock) -> None:
        lens.move_to({"zoom": 1.0}, {"zoom": 0.5})
        clock.now += 1
        assert lens.position.zoom == pytest.approx(MAX_SPEED.zoom / 2)

    def test_relative(self, lens: Lens, clock: Clock) -> None:
        lens.move_to({"pan": 0.3})
        clock.now += 10
        lens.move_by({"pan": -0.1})
        clock.now += 10
        assert lens.position.pan == pytest.approx(0.2)

    def test_continuous_until_timeout(self, lens: Lens, clock: Clock) -> None:
        lens.run({"pan": -0.5}, seconds=1.0)
        clock.now += 5
        assert lens.position.pan == pytest.approx(-0.25)
        assert lens.moving == (False, False)

    def test_stop_only_the_named_axes(self, lens: Lens, clock: Clock) -> None:
        lens.run({"pan": 1.0, "zoom": 1.0}, seconds=60)
        clock.now += 0.5
        lens.stop(("zoom",))
        clock.now += 0.5
        assert lens.position == PtzPosition(pan=0.5, zoom=pytest.approx(0.2))
        lens.stop()
        clock.now += 5
        assert lens.position.pan == 0.5

    @given(st.lists(st.tuples(st.sampled_from(["to", "by", "run"]), st.floats(-9, 9), st.floats(0, 5)), max_size=8))
    def test_never_leaves_its_limits(self, moves: list[tuple[str, float, float]]) -> None:
        clock = Clock()
        lens = Lens(clock)
        for kind, value, wait in moves:
            values = dict.fromkeys(LIMITS, value)
            if kind == "run":
                lens.run(values, 60)
            else:
                (lens.move_to if kind == "to" else lens.move_by)(values)
            clock.now += wait
            here = lens.position
            assert all(low <= getattr(here, axis) <= high for axis, (low, high) in LIMITS.items())
