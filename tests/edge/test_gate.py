"""The motion gate on drawn pictures: opens for what moves, stays shut for noise, light and a quiet street."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matpho_edge.gate import GateParameters, GateVerdict, MotionGate

Picture = NDArray[np.uint8]


def street(seed: int = 1, size: tuple[int, int] = (640, 360)) -> Picture:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 190, (size[1] // 20, size[0] // 20), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def noisy(picture: Picture, rng: np.random.Generator, sigma: float = 4.0) -> Picture:
    noise = rng.normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def with_car(picture: Picture, x: int) -> Picture:
    drawn = picture.copy()
    cv2.rectangle(drawn, (x, 200), (x + 60, 240), 250, -1)
    return drawn


def run(gate: MotionGate, pictures: list[Picture], fps: float = 5.0, start: float = 0.0) -> list[GateVerdict]:
    return [gate.look(picture, start + number / fps) for number, picture in enumerate(pictures)]


class TestQuiet:
    def test_noise_alone_is_no_motion_from_the_very_first_picture(self) -> None:
        rng = np.random.default_rng(2)
        verdicts = run(MotionGate(), [noisy(street(), rng) for _ in range(100)])
        assert not [v for v in verdicts if v.reason in ("motion", "light")]

    def test_strong_night_noise_is_learnt(self) -> None:
        rng = np.random.default_rng(3)
        dark = (street() * 0.2).astype(np.uint8)
        verdicts = run(MotionGate(), [noisy(dark, rng, 18.0) for _ in range(100)])
        assert sum(v.reason == "motion" for v in verdicts) <= 2

    def test_the_first_picture_is_analysed_and_then_every_recheck(self) -> None:
        gate = MotionGate(GateParameters(recheck_s=5.0))
        verdicts = run(gate, [street()] * 101)
        looked = [number / 5 for number, v in enumerate(verdicts) if v.analyse]
        assert looked == pytest.approx([0, 5, 10, 15, 20])
        assert {verdicts[25].reason, verdicts[50].reason} == {"recheck"}

    def test_without_a_recheck_nothing_would_look_again(self) -> None:
        verdicts = run(MotionGate(GateParameters(recheck_s=1e9)), [street()] * 101)
        assert sum(v.analyse for v in verdicts) == 1


class TestMotion:
    def test_a_car_opens_the_gate_where_it_is(self) -> None:
        gate = MotionGate()
        run(gate, [street()] * 20)
        verdicts = run(gate, [with_car(street(), 100 + 20 * k) for k in range(10)], start=4.0)
        assert all(v.analyse and v.reason == "motion" for v in verdicts)
        first = verdicts[0].boxes[0]
        assert abs(first.x1 - 100 / 640) < 0.02
        assert abs(first.y2 - 240 / 360) < 0.03

    def test_the_gate_is_held_open_a_moment_after_the_motion(self) -> None:
        gate = MotionGate(GateParameters(hold_s=1.0))
        run(gate, [street()] * 20)
        gate.look(with_car(street(), 300), 4.0)
        reasons = [gate.look(street(), 4.2 + 0.2 * k).reason for k in range(10)]
        assert "hold" in reasons[:5]
        assert reasons[-1] == "idle"

    def test_a_stopped_car_becomes_background(self) -> None:
        gate = MotionGate()
        run(gate, [street()] * 20)
        verdicts = run(gate, [with_car(street(), 300)] * 300, start=4.0)
        assert verdicts[0].reason == "motion"
        assert verdicts[-2].reason in ("idle", "recheck")


class TestLight:
    def test_a_sudden_change_of_light_is_not_motion_and_is_over_at_once(self) -> None:
        gate = MotionGate()
        run(gate, [street()] * 20)
        flash = cv2.convertScaleAbs(street(), alpha=1.6, beta=40)
        verdicts = run(gate, [np.asarray(flash, dtype=np.uint8)] * 20, start=4.0)
        assert [v.reason for v in verdicts if v.reason == "motion"] == []
        assert verdicts[-1].reason in ("idle", "hold")

    def test_a_covered_lens_is_looked_at_once(self) -> None:
        gate = MotionGate()
        run(gate, [street()] * 20)
        verdict = gate.look(np.random.default_rng(0).integers(0, 255, (360, 640), dtype=np.uint8), 4.0)
        assert verdict.analyse
        assert verdict.reason == "light"

    def test_a_car_in_a_changing_light_is_still_motion(self) -> None:
        gate = MotionGate()
        run(gate, [street()] * 20)
        brighter = np.asarray(cv2.add(street(), np.full_like(street(), 12)), dtype=np.uint8)
        verdict = gate.look(with_car(brighter, 300), 4.0)
        assert verdict.reason == "motion"
        assert verdict.boxes
        assert verdict.boxes[0].area < 0.1


class TestStreams:
    def test_another_size_and_a_clock_that_jumps_back_start_anew(self) -> None:
        gate = MotionGate()
        run(gate, [street()] * 20)
        assert gate.look(street(size=(1280, 720)), 5.0).reason == "learning"
        assert gate.look(street(size=(1280, 720)), 1.0).reason == "learning"

    @pytest.mark.parametrize("size", [(1920, 1080), (704, 576), (352, 288), (97, 31)])
    def test_any_size_is_taken(self, size: tuple[int, int]) -> None:
        gate = MotionGate()
        picture = np.full((size[1], size[0]), 90, np.uint8)
        assert gate.look(picture, 0.0).analyse
        assert gate.look(picture, 1.2).reason == "idle"
