"""The detector's mark: right, wrong, doubled and ignored detections count as the protocol says."""

import numpy as np
import pytest

from matpho.eval.average_precision import Picture, evaluate, overlap

A = np.array([[0.0, 0.0, 10.0, 10.0]])
B = np.array([[20.0, 0.0, 30.0, 10.0]])
NONE = np.empty((0, 4))


def picture(truth: np.ndarray, found: np.ndarray, scores: list[float], ignored: np.ndarray = NONE) -> Picture:
    return Picture({"car": truth}, {"car": ignored}, {"car": (found, np.array(scores))})


def average(*pictures: Picture) -> float:
    return evaluate(pictures)["car"].average_precision


def test_everything_found_and_nothing_else_is_one() -> None:
    assert average(picture(np.vstack([A, B]), np.vstack([A, B]), [0.9, 0.8])) == pytest.approx(1)


def test_nothing_found_is_zero() -> None:
    assert average(picture(A, NONE, [])) == 0


def test_a_second_box_on_the_same_object_is_false() -> None:
    result = evaluate([picture(A, np.vstack([A, A]), [0.9, 0.8])])["car"]
    assert result.precision == pytest.approx(0.5)
    assert result.recall == 1


def test_half_found_is_about_half() -> None:
    assert average(picture(np.vstack([A, B]), A, [0.9])) == pytest.approx(51 / 101)


def test_a_false_detection_of_higher_score_costs_more_than_one_of_lower() -> None:
    high = average(picture(A, np.vstack([A, B]), [0.5, 0.9]))
    low = average(picture(A, np.vstack([A, B]), [0.9, 0.5]))
    assert high == pytest.approx(0.5)
    assert low == pytest.approx(1)


def test_what_is_ignored_is_neither_wanted_nor_false() -> None:
    result = evaluate([picture(A, np.vstack([A, B]), [0.9, 0.95], ignored=B)])["car"]
    assert result.average_precision == pytest.approx(1)
    assert result.truth == 1


def test_the_other_class_at_the_same_place_does_not_count() -> None:
    mixed = Picture({"car": A}, {}, {"truck": (A, np.array([0.9]))})
    assert evaluate([mixed])["car"].average_precision == 0


def test_overlap_is_intersection_over_union() -> None:
    assert overlap(A[0], np.array([[5.0, 0.0, 15.0, 10.0]]))[0] == pytest.approx(1 / 3)
