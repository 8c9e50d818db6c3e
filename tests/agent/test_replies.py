"""The answer to a pause: what is a plain yes, a plain no, and what is neither."""

from __future__ import annotations

from datetime import datetime

import pytest

from matpho_agent.language.places import PlaceIndex
from matpho_agent.planner.plan import Memory, Proposal
from matpho_agent.planner.reader import Situation
from matpho_agent.planner.replies import plain_answer, read_reply

NOW = datetime.fromisoformat("2026-11-21T14:30:00+07:00")
WAITING = Memory(proposal=Proposal(id="p1", tool="open_incident", arguments={"event_ids": ["e1"], "priority": "high"}))

YES = [
    "ok", "OK em", "ừ", "uh làm đi", "được", "được thôi", "đồng ý", "dong y nhe", "gửi đi", "ok gửi luôn nha",
    "nhất trí", "xác nhận", "chuẩn rồi", "yes", "yep", "yes, go ahead", "confirm", "do it", "sure, thanks",
    "Okay please proceed",
    "rõ, thực hiện", "looks good, run it", "gui lenh di",
    "không sao, làm đi", "vâng ạ", "đúng rồi anh", "cứ thế mà làm", "oke em", "tiến hành đi em nhé", "dc",
]  # fmt: skip
NO = [
    "không", "ko", "thôi", "thôi khỏi", "hủy đi", "huy", "không cần nữa", "thôi để sau", "no", "no wait, cancel",
    "nope", "never mind", "don't", "đừng", "bỏ đi em", "ok hủy", "dừng lại", "khỏi cần", "not now", "từ chối",
    "forget it",
]  # fmt: skip
NEITHER = [
    'ông ấy bảo "ok"', "“đồng ý”", "ok nếu chỉ huy đồng ý", "yes but only tomorrow", "được không?", "ok?", "đúng không",
    "ok rồi cho xem cam khác", "nếu được thì làm", "", "...", "yes or no", "có ai nói ok đâu", "tối qua có cháy không",
    "ok " * 20, "‘yes’", "khoan", "chờ chút",
]  # fmt: skip


@pytest.mark.parametrize("said", YES)
def test_a_plain_yes(said: str) -> None:
    assert plain_answer(said) == "yes"


@pytest.mark.parametrize("said", NO)
def test_a_plain_no(said: str) -> None:
    assert plain_answer(said) == "no"


@pytest.mark.parametrize("said", NEITHER)
def test_what_carries_more_than_a_yes_is_none(said: str) -> None:
    assert plain_answer(said) == ""


def test_without_a_proposal_a_yes_means_nothing() -> None:
    assert read_reply("ok", Memory(), Situation(NOW, PlaceIndex([]))).kind == "other"
    assert read_reply("ok", WAITING, Situation(NOW, PlaceIndex([]))).kind == "yes"


@pytest.mark.parametrize(
    ("decision", "said", "kind", "changes"),
    [
        ("reject", "yes, reject it", "yes", {}),
        ("reject", "bác đi", "yes", {}),
        ("reject", "duyệt", "edit", {"decision": "approve"}),
        ("approve", "duyệt luôn", "yes", {}),
        ("approve", "không duyệt", "no", {}),
        ("approve", "bác ơi khoan", "no", {}),
    ],
)
def test_the_decision_said_again_is_a_yes_and_the_other_is_none(
    decision: str, said: str, kind: str, changes: dict[str, str]
) -> None:
    asked = {"request_id": "R-1", "decision": decision}
    waiting = Memory(proposal=Proposal(id="p1", tool="decide_identity_check", arguments=asked))
    reply = read_reply(said, waiting, Situation(NOW, PlaceIndex([])))
    assert (reply.kind, reply.changes) == (kind, changes)


@pytest.mark.parametrize("said", ["bỏ trường họ tên", "drop the name field"])
def test_a_field_that_is_taken_out_leaves_the_others(said: str) -> None:
    asked = {"case_number": "HS-1", "subject": {"plate": "71A12345"}, "purpose": "p", "fields": ["chủ xe", "họ tên"]}
    waiting = Memory(proposal=Proposal(id="p1", tool="request_identity_check", arguments=asked))
    reply = read_reply(said, waiting, Situation(NOW, PlaceIndex([])))
    assert (reply.kind, reply.changes) == ("edit", {"fields": ["chủ xe"]})
