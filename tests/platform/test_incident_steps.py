"""Which step of a procedure is meant by words that are not quite its name."""

from __future__ import annotations

import pytest

from matpho_platform.incidents.errors import StepError
from matpho_platform.incidents.progress import find_step

STEPS = ("Phong tỏa lối vào cầu cảng", "Gọi đội cứu nạn đường thủy", "Báo cáo trực chỉ huy cảng")


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ("2", 1), ("phong toa", 0), ("gọi đội cứu nạn", 1), ("phong tỏa luôn lối vào cầu tàu", 0),
        ("báo cáo cho trực chỉ huy", 2),
    ],
)  # fmt: skip
def test_a_step_is_told_by_number_name_or_most_of_its_words(said: str, step: int) -> None:
    assert find_step(STEPS, said) == step


@pytest.mark.parametrize("said", ["cảng", "phong tỏa đường thủy cảng", "cắt điện", "lối đội báo"])
def test_words_of_several_steps_or_of_none_are_asked_about(said: str) -> None:
    with pytest.raises(StepError):
        find_step(STEPS, said)
