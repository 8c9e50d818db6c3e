"""Sentences of two cities, each with the call that it must become: every tool, both languages."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from matpho_agent.language.places import Place, PlaceIndex
from matpho_agent.planner.clauses import clauses
from matpho_agent.planner.dialogue import take_step
from matpho_agent.planner.drafts.table import DRAFTS
from matpho_agent.planner.plan import Memory
from matpho_agent.planner.situation import Situation
from matpho_contracts.text import fold
from matpho_tools.city import PersonName, UnitName
from matpho_tools.registry import TOOLS

NOW = datetime.fromisoformat("2026-11-21T14:30:00+07:00")
READING = (
    "search_events", "get_event", "find_similar_events", "event_statistics", "list_cameras", "camera_status",
    "get_snapshot", "get_clip",
)  # fmt: skip
ALL = frozenset({*DRAFTS, *READING})


def place(kind: Any, id_: str, name: str, *aliases: str, area: str = "", presets: tuple[str, ...] = ()) -> Place:
    turns = "ptz" if presets else "fixed"
    return Place(kind, id_, name, aliases, area, (10.0, 105.7), turns if kind == "camera" else "", presets)


CAN_THO = Situation(
    NOW,
    PlaceIndex(
        [
            place("area", "CT", "Thành phố Cần Thơ", "Cần Thơ", "Tây Đô"),
            place("area", "CT-NK", "Phường Ninh Kiều", "Ninh Kiều", area="CT"),
            place("area", "CT-CR", "Phường Cái Răng", "Cái Răng", area="CT"),
            place("area", "CT-BT", "Phường Bình Thủy", "Bình Thủy", area="CT"),
            place("area", "CT-OM", "Phường Ô Môn", "Ô Môn", area="CT"),
            place("camera", "NK.01", "Bến Ninh Kiều - tượng đài", "bến Ninh Kiều", area="CT-NK",
                  presets=("toàn cảnh", "cầu đi bộ", "chợ đêm")),
            place("camera", "NK.02", "Ngã tư Mậu Thân - 3 Tháng 2", "Mậu Thân", area="CT-NK"),
            place("camera", "NK.03", "Bệnh viện Đa khoa Trung ương - cổng A", area="CT-NK"),
            place("camera", "CR.01", "Chợ nổi Cái Răng", "chợ nổi", area="CT-CR", presets=("bến tàu", "toàn cảnh")),
            place("camera", "BT.02", "Cầu Bình Thủy - đầu cầu", "cầu Bình Thủy", area="CT-BT"),
            place("camera", "OM.01", "Trường THPT Lưu Hữu Phước - cổng chính", "trường Lưu Hữu Phước", area="CT-OM"),
        ]
    ),
    ("CT-NK",),
    ALL,
    (
        UnitName("U.NK.CA", "Công an phường Ninh Kiều", ("CAP Ninh Kiều", "công an Ninh Kiều"), "CT-NK", "police"),
        UnitName("U.NK.MT", "Đội thu gom rác Ninh Kiều", (), "CT-NK", "environment"),
        UnitName("U.CR.GT", "Đội CSGT Cái Răng", (), "CT-CR", "traffic"),
        UnitName("U.CT.PCCC", "Phòng Cảnh sát PCCC Cần Thơ", ("PC07",), "CT", "fire"),
        UnitName("U.CT.115", "Trung tâm Cấp cứu 115 Cần Thơ", (), "CT", "medical"),
    ),
    (
        PersonName("dt-diep", "Đại úy Lâm Thị Ngọc Diệp", "officer"),
        PersonName("inv-liem", "Thiếu tá Châu Văn Liêm", "investigator"),
        PersonName("cmd-phat", "Thượng tá Huỳnh Tấn Phát", "commander"),
    ),
    "cb-1",
)  # fmt: skip
HAI_PHONG = Situation(
    NOW,
    PlaceIndex(
        [
            place("area", "HP", "Thành phố Hải Phòng", "Hải Phòng", "đất Cảng"),
            place("area", "HP-HB", "Phường Hồng Bàng", "Hồng Bàng", area="HP"),
            place("area", "HP-LC", "Phường Lê Chân", "Lê Chân", area="HP"),
            place("area", "HP-DS", "Phường Đồ Sơn", "Đồ Sơn", area="HP"),
            place("camera", "HB-1", "Nhà hát lớn Hải Phòng", "nhà hát lớn", "opera house", area="HP-HB",
                  presets=("flower street", "toàn cảnh")),
            place("camera", "LC-1", "Sân vận động Lạch Tray", "Lạch Tray", area="HP-LC"),
            place("camera", "DS-1", "Bãi biển Đồ Sơn - khu 2", "bãi biển Đồ Sơn", "Đồ Sơn beach", area="HP-DS",
                  presets=("bãi tắm",)),
        ]
    ),
    ("HP-HB",),
    ALL,
    (
        UnitName("HB.CA", "Công an phường Hồng Bàng", ("Hồng Bàng police",), "HP-HB", "police"),
        UnitName("LC.CA", "Công an phường Lê Chân", ("công an Lê Chân",), "HP-LC", "police"),
        UnitName("HP.GT", "Đội CSGT số 1", (), "HP", "traffic"),
        UnitName("HP.PCCC", "Phòng PC07 Hải Phòng", ("PC07",), "HP", "fire"),
        UnitName("HP.115", "Cấp cứu 115 Hải Phòng", (), "HP", "medical"),
    ),
    (
        PersonName("off-yen", "Trung úy Phạm Hải Yến", "officer"),
        PersonName("inv-anh", "Thiếu tá Vũ Thế Anh", "investigator"),
    ),
    "u-7",
)  # fmt: skip
CITIES = {"ct": CAN_THO, "hp": HAI_PHONG}
TABLE = yaml.safe_load((Path(__file__).parent / "planner_sentences.yaml").read_text(encoding="utf-8"))
CASES = [(tool, case) for tool, cases in TABLE.items() for case in cases]


def fits(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, dict):
        if "has" in wanted:
            return isinstance(got, str) and fold(wanted["has"]) in fold(got)
        if "above" in wanted:
            return got is not None and got > wanted["above"]
        if "below" in wanted:
            return got is not None and got < wanted["below"]
        return isinstance(got, dict) and all(fits(value, got.get(name)) for name, value in wanted.items())
    if wanted == "~":
        return got is None
    if isinstance(wanted, list):
        return isinstance(got, list) and sorted(map(str, wanted)) == sorted(map(str, got))
    return bool(wanted == got) if not isinstance(wanted, str) else isinstance(got, str) and fold(wanted) == fold(got)


def test_the_table_is_broad() -> None:
    assert len(CASES) >= 250
    assert {tool for tool, _case in CASES} >= set(DRAFTS)


@pytest.mark.parametrize(("tool", "case"), CASES, ids=[f"{tool}: {case['say']}" for tool, case in CASES])
def test_a_sentence_becomes_its_call(tool: str, case: dict[str, Any]) -> None:
    city = CITIES[case["city"]]
    situation = Situation(
        city.now, city.places, city.own_areas, ALL, city.units, city.people, city.user_id, case.get("role", "officer")
    )
    assert clauses(case["say"]) == [case["say"].strip(" .")] or len(clauses(case["say"])) == 1
    step = take_step(case["say"], situation, Memory())
    if tool == "talk":
        assert step.talk
        return
    assert step.plan.intent == tool, (step.plan.intent, step.arguments)
    if "missing" in case:
        assert step.ask is not None, step
        assert step.ask.missing == case["missing"]
        return
    if "lookup" in case:
        assert (step.lookup, step.tool) == (True, case["lookup"]), step
        return
    assert step.tool == tool, step
    for name, wanted in case.get("args", {}).items():
        assert fits(wanted, (step.arguments or {}).get(name)), (name, step.arguments)
    if tool in TOOLS:
        try:
            TOOLS[tool].arguments.model_validate(step.arguments)
        except ValidationError as error:
            pytest.fail(f"{step.arguments} does not fit {tool}: {error}")
