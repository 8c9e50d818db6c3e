"""What citizens ask: about cameras and their own pictures, what to do, how far a report is; told from a wish to see."""

from __future__ import annotations

from datetime import datetime

import pytest

from matpho_agent.language.places import Place, PlaceIndex
from matpho_agent.planner.dialogue import take_step
from matpho_agent.planner.plan import Memory
from matpho_agent.planner.situation import Situation
from matpho_contracts.times import VIETNAM

TOOLS = (
    "search_events", "get_clip", "get_snapshot", "list_cameras", "list_procedures", "public_information",
    "feedback_status", "submit_feedback",
)  # fmt: skip
RACH_GIA = Situation(
    datetime(2027, 2, 3, 9, 30, tzinfo=VIETNAM),
    PlaceIndex([Place("area", "RG", "Phường Rạch Giá"), Place("camera", "RG-3", "Cổng Tam Quan", (), "RG")]),
    tools=frozenset(TOOLS),
    user_id="dan-1",
    role="citizen",
    codes={"rgf": "report"},
)


@pytest.mark.parametrize(
    ("said", "tool"),
    [
        ("muốn xin đoạn phim có tôi thì làm đơn ở đâu", "public_information"),
        ("how would I go about getting recordings of me?", "public_information"),
        ("who is able to view the footage?", "public_information"),
        ("what do your cameras record", "public_information"),
        ("camera trong hẻm nhà con lưu hình bao lâu thì xóa ạ", "public_information"),
        ("nước lên mấy tấc thì cấm xe ba gác vậy chú", "list_procedures"),
        ("if an old man faints on the pavement should I move him?", "list_procedures"),
        ("should I pour water on it if a gas stove catches fire", "list_procedures"),
        ("còn RGF-77Q thì có ai làm gì chưa", "feedback_status"),
        ("show me the video of the crash at Cổng Tam Quan, I was there", "get_clip"),
        ("cho tôi xem camera Cổng Tam Quan lúc này", "get_snapshot"),
    ],
)
def test_a_question_of_a_citizen_finds_who_answers(said: str, tool: str) -> None:
    assert take_step(said, RACH_GIA, Memory()).plan.intent == tool


def test_bac_is_a_pronoun_beside_a_yes_and_a_no_alone() -> None:
    tools = frozenset({"decide_identity_check"})
    desk = Situation(RACH_GIA.now, RACH_GIA.places, tools=tools, role="commander", codes={"gks": "request"})
    decided = {said: take_step(said, desk, Memory()).arguments.get("decision") for said in (
        "bác ơi duyệt GKS-4 giúp em", "bac GKS-4 vi thieu giay to", "bác GKS-4", "ký luôn GKS-4 đi", "knock GKS-4 back",
    )}  # fmt: skip
    assert list(decided.values()) == ["approve", "reject", "reject", "approve", "reject"]
