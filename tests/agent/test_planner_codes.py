"""Codes of an installation whose beginnings no dictionary knows: their kind is how codes begin there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from matpho_agent.language.places import Place, PlaceIndex
from matpho_agent.planner.dialogue import take_step
from matpho_agent.planner.plan import Memory
from matpho_agent.planner.situation import Situation
from matpho_contracts.times import VIETNAM

QUY_NHON = Situation(
    datetime(2027, 2, 3, 9, 30, tzinfo=VIETNAM),
    PlaceIndex([Place("area", "QNH", "Thành phố Quy Nhơn"), Place("camera", "QNH-07", "Tháp Đôi", (), "QNH")]),
    ("QNH",),
    frozenset({"search_events", "get_incident", "feedback_status", "decide_identity_check", "list_procedures"}),
    user_id="cb-3",
    role="officer",
    codes={"tq": "incident", "bdg": "report", "gks": "request", "mau": "procedure"},
)


@pytest.mark.parametrize(
    ("role", "said", "tool", "arguments"),
    [
        ("citizen", "BDG-7K2 tới đâu rồi", "feedback_status", {"code": "BDG-7K2"}),
        ("citizen", "vụ nắp cống hư con gửi, mã bdg-7k2, xong chưa ạ", "feedback_status", {"code": "BDG-7K2"}),
        ("officer", "coi giúp TQ-88", "get_incident", {"incident_id": "TQ-88"}),
        ("officer", "hồ sơ TQ-88 xử lý tới đâu", "get_incident", {"incident_id": "TQ-88"}),
        ("commander", "duyệt GKS-15", "decide_identity_check", {"request_id": "GKS-15", "decision": "approve"}),
        ("commander", "turn GKS-15 down", "decide_identity_check", {"request_id": "GKS-15", "decision": "reject"}),
        ("investigator", "xe 77A-123.45 hôm qua đi đâu, hồ sơ KSHS-27-9", "search_events", {"plate": "77A-123.45"}),
    ],
)
def test_the_kind_is_how_codes_begin_here(role: str, said: str, tool: str, arguments: dict[str, str]) -> None:
    step = take_step(said, replace(QUY_NHON, role=role), Memory())
    assert (step.plan.intent, {name: step.arguments.get(name) for name in arguments}) == (tool, arguments)


def test_a_word_before_it_wins_where_no_code_begins_so() -> None:
    step = take_step("phản ánh ZZ-40 sao rồi", QUY_NHON, Memory())
    assert (step.plan.intent, step.arguments.get("code")) == ("feedback_status", "ZZ-40")
