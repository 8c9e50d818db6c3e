"""What is said of a page of events: certain, possible and none are three different sentences."""

from __future__ import annotations

from typing import Any

import pytest
from tests.agent.conftest import NOON

from matpho_agent.answers.events import found_events
from matpho_platform.access.principal import Principal, Role
from matpho_tools.city import City


def said(hits: list[bool], total: int, possible: int, language: str = "vi") -> list[str]:
    """The answer's lines for a page whose hits are certain or not."""
    data: dict[str, Any] = {
        "hits": [
            {
                "id": f"e{number}",
                "time": NOON.isoformat(),
                "camera_id": "HC-01",
                "camera_name": "Chợ Cồn",
                "type": "object_seen",
                "caption_vi": "Xe tải trắng",
                "caption_en": "White truck",
                "objects": [],
                "certain": certain,
            }
            for number, certain in enumerate(hits)
        ],
        "total": total,
        "possible": possible,
    }
    arguments = {"objects": ["truck"], "colors": ["white"]}
    who = Principal("u", "u", Role.OFFICER)
    return found_events(arguments, data, who, language, NOON, City((), ())).splitlines()


def test_all_certain() -> None:
    head, first, *_ = said([True], 1, 0)
    assert head.startswith("Có 1 kết quả")
    assert "ứng viên" not in head
    assert "có thể" not in first


@pytest.mark.parametrize(
    ("language", "counted", "mark"),
    [("vi", ("Có 2 kết quả", "1 ứng viên có thể đúng"), "có thể: "), ("en", ("2 found", "1 possible"), "possibly: ")],
)
def test_some_only_possible(language: str, counted: tuple[str, str], mark: str) -> None:
    head, *lines = said([True, True, False], 3, 1, language)
    assert head.startswith(counted[0])
    assert counted[1] in head
    assert [mark in line for line in lines[:3]] == [False, False, True]


def test_none_certain_is_no_result_and_no_nothing() -> None:
    head, first, *_ = said([False], 1, 1)
    assert head.startswith("Không có kết quả chắc chắn")
    assert "1 ứng viên có thể đúng" in head
    assert "có thể: Xe tải trắng" in first


def test_none_at_all() -> None:
    (line,) = said([], 0, 0)
    assert line.startswith("Không có kết quả:")
