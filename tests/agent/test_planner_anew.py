"""What a sentence keeps of the talk and what it leaves: new questions, words that answer nothing, things only named."""

from __future__ import annotations

from datetime import datetime

import pytest

from matpho_agent.answers.calls import Done
from matpho_agent.language.places import Place, PlaceIndex
from matpho_agent.planner.dialogue import take_step
from matpho_agent.planner.plan import Memory, Pending, Proposal, QueryPlan
from matpho_agent.planner.replies import read_reply
from matpho_agent.planner.situation import Situation
from matpho_agent.planner.step import Step
from matpho_agent.remember import note_refused, remember
from matpho_tools.contract import Outcome, ToolResult

NOW = datetime.fromisoformat("2026-08-12T10:30:00+07:00")
GL = Situation(
    NOW,
    PlaceIndex(
        [
            Place("area", "GL", "Tỉnh Gia Lai", ("Gia Lai",)),
            Place("area", "GL-QN", "Phường Quy Nhơn", ("Quy Nhơn",), "GL"),
            Place("area", "GL-PL", "Phường Pleiku", ("Pleiku",), "GL"),
            Place("camera", "QN-1", "Quảng trường Nguyễn Tất Thành", ("quảng trường",), "GL-QN", (13.7, 109.2), "ptz"),
            Place("camera", "PL-1", "Chợ đêm Pleiku", ("chợ đêm",), "GL-PL", (13.9, 108.0), "fixed"),
        ]
    ),
)  # fmt: skip
FIRE = QueryPlan(intent="search_events", event_types=["fire"], areas=["GL-QN"],
                 time_from=datetime.fromisoformat("2026-08-10T00:00:00+07:00"),
                 time_to=datetime.fromisoformat("2026-08-13T00:00:00+07:00"))  # fmt: skip


def say(said: str, memory: Memory) -> Step:
    return take_step(said, GL, memory)


def after(plan: QueryPlan) -> Memory:
    return Memory(plan=plan.model_copy(deep=True), topic="event", last=plan.intent)


@pytest.mark.parametrize(
    "said",
    [
        "xe máy đỏ sáng nay", "xe tải trắng hôm qua", "con xe buýt vàng chiều qua", "white van last night",
        "red motorbike this morning", "thống kê sự kiện hôm nay theo loại", "biển số 81A-123.45 hôm nay",
        "các loại sự kiện hôm qua", "o to den toi qua", "two trucks yesterday", "how many events today by type",
    ],
)  # fmt: skip
def test_a_question_of_its_own_leaves_the_kind_spoken_of(said: str) -> None:
    wanted = say(said, after(FIRE)).arguments or {}
    assert "event_types" not in wanted
    assert "areas" not in wanted
    assert wanted["time_from"] >= "2026-08-11"


@pytest.mark.parametrize(
    "said",
    [
        "còn hôm qua thì sao",
        "hôm qua",
        "ở Pleiku",
        "chỗ chợ đêm thì sao",
        "what about yesterday",
        "tối qua",
        "thế sáng nay",
    ],
)
def test_a_fragment_keeps_the_kind_spoken_of(said: str) -> None:
    assert (say(said, after(FIRE)).arguments or {})["event_types"] == ["fire"]


@pytest.mark.parametrize(
    "said", ["xe tải thôi", "chỉ xe buýt", "còn xe máy hôm qua thì sao", "xe trắng", "the red ones"]
)
def test_what_narrows_keeps_the_kind_spoken_of(said: str) -> None:
    parked = FIRE.model_copy(update={"event_types": ["illegal_parking"]})
    assert (say(said, after(parked)).arguments or {})["event_types"] == ["illegal_parking"]


@pytest.mark.parametrize("said", ["có xe buýt vàng nào không", "xe tải", "red cars"])
def test_vehicles_are_no_part_of_a_brawl(said: str) -> None:
    wanted = say(said, after(FIRE.model_copy(update={"event_types": ["fight"]}))).arguments or {}
    assert "event_types" not in wanted
    assert wanted["areas"] == ["GL-QN"]


@pytest.mark.parametrize("said", ["đồng ý", "ok", "yes", "có", "ừ làm đi", "huỷ", "cancel", "khoan đã", "thôi", "no"])
def test_an_answer_where_nothing_waits_says_so(said: str) -> None:
    assert say(said, Memory()).talk == "nothing_waits"
    assert say(said, after(FIRE)).talk == "nothing_waits"


@pytest.mark.parametrize("said", ["ok", "yes", "ừ", "đồng ý"])
def test_a_yes_to_a_question_back_takes_the_only_thing_offered(said: str) -> None:
    waiting = QueryPlan(intent="acknowledge_alert")
    one = Memory(pending=Pending(plan=waiting, missing="incident_id", options=["BD-7"]))
    assert say(said, one).arguments == {"incident_id": "BD-7"}
    two = Memory(pending=Pending(plan=waiting, missing="incident_id", options=["BD-7", "BD-8"]))
    asked = say(said, two).ask
    assert asked is not None
    assert asked.options == ["BD-7", "BD-8"]


def done(tool: str, outcome: Outcome, **arguments: object) -> Done:
    return Done(tool, dict(arguments), ToolResult(tool=tool, outcome=outcome, message_vi="", message_en=""))


def test_what_a_denied_act_named_is_still_spoken_of() -> None:
    memory = Memory()
    remember(memory, done("dispatch_unit", Outcome.DENIED, incident_id="BD-7", unit_id="U-1"))
    assert say("vậy vụ đó ai đang xử lý", memory).arguments == {"incident_id": "BD-7"}
    remember(memory, done("move_camera", Outcome.DENIED, camera_id="QN-1", pan=10))
    got = say("cam đó có đang chạy không", memory)
    assert (got.tool, got.arguments) == ("camera_status", {"camera_id": "QN-1"})


def test_what_a_refused_sentence_named_is_still_spoken_of() -> None:
    memory = Memory()
    note_refused(memory, "ai theo đạo trong vụ BD-7", GL)
    assert say("vụ đó tới đâu rồi", memory).arguments == {"incident_id": "BD-7"}


@pytest.mark.parametrize(
    ("said", "begin", "end"),
    [
        ("tuần trước đó thì sao", "2026-08-03", "2026-08-10"), ("and the week before", "2026-08-03", "2026-08-10"),
        ("the following week", "2026-08-17", "2026-08-24"),
    ],
)  # fmt: skip
def test_the_week_beside_the_one_spoken_of(said: str, begin: str, end: str) -> None:
    wanted = say(said, after(FIRE)).arguments or {}
    assert (wanted["time_from"][:10], wanted["time_to"][:10]) == (begin, end)
    assert wanted["event_types"] == ["fire"]


@pytest.mark.parametrize("said", ["bỏ lọc thời gian", "bỏ thời gian đi", "drop the dates"])
def test_the_time_may_be_dropped(said: str) -> None:
    wanted = say(said, after(FIRE)).arguments or {}
    assert "time_from" not in wanted
    assert wanted["event_types"] == ["fire"]


@pytest.mark.parametrize("said", ["just count those fires", "thống kê mấy vụ cháy đó"])
def test_those_are_counted_where_they_were(said: str) -> None:
    got = say(said, after(FIRE))
    assert (got.tool, (got.arguments or {})["areas"]) == ("event_statistics", ["GL-QN"])


def test_other_events_near_the_camera_spoken_of() -> None:
    memory = after(FIRE)
    memory.camera_id = "QN-1"
    wanted = say("gần đó có vụ nào khác không", memory).arguments or {}
    assert wanted["camera_ids"] == ["QN-1"]


def test_a_camera_of_the_list_by_its_place() -> None:
    memory = Memory(cameras=["PL-1", "QN-1"], topic="camera", last="list_cameras")
    got = say("cái đầu tiên hỏng từ khi nào", memory)
    assert (got.tool, got.arguments) == ("camera_status", {"camera_id": "PL-1"})


def test_an_incident_only_named_is_looked_at_again() -> None:
    memory = Memory(topic="incident", incident_id="BD-7", last="dispatch_unit")
    assert say("cho xem lại vụ đó", memory).arguments == {"incident_id": "BD-7"}
    assert say("who's on it", memory).arguments == {"incident_id": "BD-7"}


def test_a_watch_gets_another_name() -> None:
    shown = Proposal(id="p", tool="create_watch", arguments={"name": "truck", "filter": {"camera_ids": ["QN-1"]}})
    changed = read_reply("đặt tên là xe chở cát", Memory(proposal=shown), GL)
    assert (changed.kind, changed.changes) == ("edit", {"name": "xe chở cát"})
