"""Sentences that lean on the ones before: rows pointed at, filters taken out or added, times moved, facts asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from matpho_agent.language.places import Place, PlaceIndex
from matpho_agent.planner.clauses import clauses
from matpho_agent.planner.dialogue import take_step
from matpho_agent.planner.plan import Memory, Pending, QueryPlan, Remembered
from matpho_agent.planner.situation import Situation
from matpho_agent.planner.step import Step

NOW = datetime.fromisoformat("2026-11-21T14:30:00+07:00")
QN = Situation(
    NOW,
    PlaceIndex(
        [
            Place("area", "QN", "Tỉnh Quảng Ninh", ("Quảng Ninh",)),
            Place("area", "QN-HL", "Phường Hạ Long", ("Hạ Long",), "QN"),
            Place("area", "QN-BC", "Phường Bãi Cháy", ("Bãi Cháy",), "QN"),
            Place("camera", "HL-1", "Cầu Bãi Cháy - trụ nam", ("cầu Bãi Cháy",), "QN-HL", (20.9, 107.0), "ptz"),
            Place("camera", "HL-2", "Bến phà Tuần Châu", ("Tuần Châu",), "QN-HL", (20.9, 107.0), "fixed"),
            Place("camera", "BC-1", "Công viên Sun World", ("Sun World",), "QN-BC", (20.9, 107.0), "fixed"),
        ]
    ),
    ("QN-HL",),
)  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}:00+07:00")


def seen(id_: str, kind: str, camera: str, time: str, *looks: str, **more: Any) -> Remembered:
    area = "QN-BC" if camera == "BC-1" else "QN-HL"
    objects = [name for name in looks if name in {"car", "truck", "bus", "motorcycle"}]
    colors = [name for name in looks if name not in objects]
    return Remembered(
        id=id_, type=kind, camera_id=camera, area=area, time=at(time), objects=objects, colors=colors, **more
    )


ROWS = [
    seen("e1", "illegal_parking", "HL-1", "20T21:40", "car", "red", plate="14A-111.22"),
    seen("e2", "collision", "BC-1", "20T20:10", "truck", "white", "motorcycle", plate="14C-333.44", severity="high"),
    seen("e3", "illegal_parking", "HL-2", "20T09:05", "bus", "yellow"),
    seen("e4", "fight", "HL-2", "19T23:30"),
]
BEFORE = QueryPlan(intent="search_events", event_types=["illegal_parking"], objects=["car", "truck"], colors=["white"],
                   areas=["QN-HL", "QN-BC"], time_from=at("20T00:00"), time_to=at("21T00:00"))  # fmt: skip


def listed(**more: Any) -> Memory:
    return Memory(results=ROWS, topic="event", plan=BEFORE.model_copy(deep=True), last="search_events", **more)


def say(said: str, memory: Memory) -> Step:
    return take_step(said, QN, memory)


@pytest.mark.parametrize(
    ("said", "event"),
    [
        ("cái trên cùng", "e1"), ("cái dưới cùng", "e4"), ("vụ áp chót", "e3"), ("con xe thứ hai từ dưới lên", "e3"),
        ("cái thứ ba từ dưới lên là gì", "e2"), ("the second from the bottom", "e3"), ("show me the third", "e3"),
        ("the top one", "e1"), ("oldest one", "e4"), ("cái cũ nhất", "e4"), ("vụ nặng nhất", "e2"),
        ("cái lúc 20h10", "e2"), ("vụ đánh nhau ấy", "e4"), ("cái ở Sun World", "e2"), ("cai duoi cung", "e4"),
        ("mở cái thứ 4", "e4"),
    ],
)  # fmt: skip
def test_one_row_of_the_list_is_shown(said: str, event: str) -> None:
    got = say(said, listed())
    assert (got.tool, got.arguments) == ("get_event", {"event_id": event})


@pytest.mark.parametrize(
    ("said", "event"),
    [
        ("clip vụ đánh nhau", "e4"), ("cho xem clip con xe đỏ", "e1"), ("clip cái lúc 9 giờ", "e3"),
        ("clip của xe tải trắng", "e2"), ("xem clip vụ áp chót", "e3"), ("footage of the bus", "e3"),
        ("clip cái có biển 333.44", "e2"),
    ],
)  # fmt: skip
def test_a_clip_of_the_row_that_the_words_fit(said: str, event: str) -> None:
    got = say(said, listed())
    assert (got.tool, (got.arguments or {}).get("event_id")) == ("get_clip", event)


def test_a_clip_of_what_nobody_has_seen_yet_is_looked_up_first() -> None:
    got = say("clip vụ cháy ở Tuần Châu sáng nay", Memory())
    assert got.lookup
    assert got.tool == "search_events"
    assert set((got.arguments or {})["event_types"]) == {"fire", "smoke"}


@pytest.mark.parametrize("said", ["cái kế tiếp", "the next one", "cái tiếp theo"])
def test_the_next_row_after_the_one_spoken_of(said: str) -> None:
    assert say(said, listed(event_id="e2")).arguments == {"event_id": "e3"}


@pytest.mark.parametrize(
    ("said", "objects", "objects_not", "colors"),
    [
        ("bỏ xe tải ra", ["car"], [], ["white"]),
        ("trừ xe buýt", ["car", "truck"], ["bus"], ["white"]),
        ("lấy thêm cả xe buýt", ["car", "truck", "bus"], [], ["white"]),
        ("include buses", ["car", "truck", "bus"], [], ["white"]),
        ("the motorbikes too", ["car", "truck", "motorcycle"], [], ["white"]),
        ("thôi lấy hết", [], [], []),
        ("bỏ màu đi", ["car", "truck"], [], []),
        ("màu nào cũng được", ["car", "truck"], [], []),
        ("any vehicle", [], [], []),
        ("chỉ xe buýt màu đỏ", ["bus"], [], ["red"]),
        ("forget the trucks, buses", ["bus"], [], ["white"]),
    ],
)
def test_filters_are_taken_out_added_and_widened(
    said: str, objects: list[str], objects_not: list[str], colors: list[str]
) -> None:
    wanted = say(said, listed()).arguments or {}
    found = tuple(wanted.get(name, []) for name in ("objects", "objects_not", "colors"))
    assert found == (objects, objects_not, colors)
    assert wanted["event_types"] == ["illegal_parking"]
    assert "query" not in wanted


@pytest.mark.parametrize(
    ("said", "areas"),
    [
        ("bỏ Hạ Long ra", ["QN-BC"]), ("bỏ Hạ Long ra, chỉ xem Bãi Cháy", ["QN-BC"]), ("chỉ Hạ Long thôi", ["QN-HL"]),
        ("cả tỉnh luôn", None), ("thế phường Hạ Long thì sao?", ["QN-HL"]),
    ],
)  # fmt: skip
def test_places_are_changed(said: str, areas: list[str] | None) -> None:
    wanted = say(said, listed()).arguments or {}
    assert wanted.get("areas") == areas
    assert wanted["time_from"] == BEFORE.time_from.isoformat() if BEFORE.time_from else False


@pytest.mark.parametrize(
    ("said", "begin", "end"),
    [
        ("còn hôm sau?", "21T00:00", "22T00:00"), ("the day before?", "19T00:00", "20T00:00"),
        ("lùi lại một ngày", "19T00:00", "20T00:00"), ("sáng hôm đó thì sao", "20T05:00", "20T11:00"),
        ("còn hôm nay", "21T00:00", "22T00:00"), ("thế từ 17h đến 19h", "20T17:00", "20T19:00"),
    ],
)  # fmt: skip
def test_times_are_those_of_the_talk(said: str, begin: str, end: str) -> None:
    wanted = say(said, listed()).arguments or {}
    assert (wanted["time_from"], wanted["time_to"]) == (at(begin).isoformat(), at(end).isoformat())
    assert wanted["event_types"] == ["illegal_parking"]


@pytest.mark.parametrize(
    "said", ["thế đánh nhau thì sao", "còn đánh nhau", "what about fights?", "chuyển sang đánh nhau"]
)
def test_another_kind_of_event_keeps_place_and_time_but_not_the_looks(said: str) -> None:
    wanted = say(said, listed()).arguments or {}
    assert wanted["event_types"] == ["fight"]
    assert wanted["areas"] == ["QN-HL", "QN-BC"]
    assert "time_from" in wanted
    assert "objects" not in wanted
    assert "colors" not in wanted


@pytest.mark.parametrize("said", ["nó mang biển số mấy", "biển số?", "màu gì biển gì", "con xe đó biển bao nhiêu"])
def test_a_fact_of_the_one_thing_spoken_of(said: str) -> None:
    assert say(said, listed(event_id="e2")).arguments == {"event_id": "e2"}


@pytest.mark.parametrize("said", ["nó tắt từ khi nào", "hỏng từ bao giờ", "is it working", "giờ nó ổn chưa"])
def test_a_fact_of_the_camera_spoken_of(said: str) -> None:
    got = say(said, Memory(cameras=["HL-2"], camera_id="HL-2", topic="camera", last="list_cameras"))
    assert (got.tool, got.arguments) == ("camera_status", {"camera_id": "HL-2"})


def test_the_same_question_of_another_camera() -> None:
    memory = Memory(camera_id="HL-1", topic="camera", last="camera_status")
    assert say("thế cam Tuần Châu", memory).arguments == {"camera_id": "HL-2"}


def test_a_vehicle_is_followed_by_its_plate() -> None:
    wanted = say("xe đó hôm qua có xuất hiện không", listed(event_id="e2")).arguments or {}
    assert wanted["plate"] == "14C-333.44"
    assert wanted["time_from"] == at("20T00:00").isoformat()
    assert "event_types" not in wanted
    assert "objects" not in wanted


@pytest.mark.parametrize("said", ["thôi khỏi", "không cần nữa", "never mind", "thoi de mai tinh"])
def test_a_no_to_a_question_back_drops_it(said: str) -> None:
    memory = Memory(pending=Pending(plan=QueryPlan(intent="create_watch"), missing="name"))
    assert say(said, memory).talk == "dropped"


@pytest.mark.parametrize("said", ["ok", "yes", "đúng rồi"])
def test_a_bare_yes_is_no_purpose_and_no_search(said: str) -> None:
    memory = Memory(pending=Pending(plan=QueryPlan(intent="export_evidence"), missing="purpose"))
    got = say(said, memory)
    assert "purpose" not in (got.arguments or {})
    assert got.tool != "search_events"


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("nhận K-3 và điều cứu hỏa tới, sau đó báo lên tỉnh", 3),
        ("tối qua có đánh nhau không, với lại camera nào đang hỏng", 2),
        ("cho xem vụ cháy sáng nay rồi mở vụ việc luôn", 2),
        ("đóng K-3 và mở lại K-4", 2),
        ("tìm xe tải và xe buýt ở Hạ Long", 1),
        ("có ai và vật gì ở đó không", 1),
        ("Sitrep. Unresolved jobs, priority high.", 1),
    ],
)
def test_several_wishes_are_cut_and_one_is_not(said: str, parts: int) -> None:
    assert len(clauses(said)) == parts


@pytest.mark.parametrize("said", ["cho xem", "mở lên coi", "show it please", "xem đi"])
def test_a_mere_wish_to_look_is_for_the_clip_of_the_event_spoken_of(said: str) -> None:
    got = say(said, listed(event_id="e2"))
    assert (got.tool, got.arguments) == ("get_clip", {"event_id": "e2"})


@pytest.mark.parametrize(("said", "hours"), [("thế 24 tiếng", 24), ("con 3 ngay", 72), ("what about 2 days", 48)])
def test_a_length_alone_is_the_time_up_to_now(said: str, hours: int) -> None:
    wanted = say(said, listed()).arguments or {}
    begin, end = (datetime.fromisoformat(wanted[name]) for name in ("time_from", "time_to"))
    assert (end, (end - begin).total_seconds() / 3600) == (NOW, hours)


@pytest.mark.parametrize("said", ["cái xe đấy biển gì", "vụ đó ở đâu", "what colour is that car"])
def test_what_points_at_nothing_is_asked_for(said: str) -> None:
    got = say(said, Memory())
    assert got.ask is not None
    assert got.ask.missing == "event_id"


def test_the_answer_that_describes_an_event_is_looked_up_for_the_clip() -> None:
    waiting = Pending(plan=QueryPlan(intent="get_clip"), missing="event_id")
    got = say("cái thằng trèo rào Sun World lúc hơn 4 giờ sáng ấy", Memory(pending=waiting))
    assert (got.plan.intent, got.lookup, got.tool) == ("get_clip", True, "search_events")
    assert (got.arguments or {})["camera_ids"] == ["BC-1"]


def test_events_pointed_at_are_kept_while_the_case_is_asked_for() -> None:
    got = say("xuất bằng chứng cả 4 cái đó", listed())
    assert got.ask is not None
    assert got.ask.missing == "case_number"
    assert got.ask.plan.arguments["event_ids"] == ["e1", "e2", "e3", "e4"]
    told = say("số 0199 năm 2026", listed(pending=got.ask))
    assert told.plan.arguments["case_number"] == "0199/2026"
    assert told.plan.arguments["event_ids"] == ["e1", "e2", "e3", "e4"]


def test_another_camera_named_in_the_answer_is_the_one_that_moves() -> None:
    asked = say("xoay nó sang trái", Memory(topic="camera", camera_id="HL-2", last="get_snapshot"))
    assert asked.ask is not None
    got = say("thế quay cầu Bãi Cháy sang trái 20 độ vậy", Memory(topic="camera", camera_id="HL-2", pending=asked.ask))
    assert (got.tool, got.arguments) == ("move_camera", {"pan": -20, "camera_id": "HL-1"})


def test_the_worst_of_all_is_looked_up_where_none_was_listed() -> None:
    asked = say("đẩy lên trên đi", Memory())
    assert asked.ask is not None
    assert asked.ask.missing == "incident_id"
    got = say("cái nặng nhất", Memory(pending=asked.ask))
    assert (got.plan.intent, got.lookup, got.tool) == ("escalate_incident", True, "list_incidents")


def test_faults_are_asked_of_the_camera_spoken_of() -> None:
    memory = Memory(topic="camera", camera_id="HL-2", last="camera_status")
    wanted = say("tuần này nó có hay mất tín hiệu không, liệt kê các lần", memory).arguments or {}
    assert (wanted["event_types"], wanted["camera_ids"]) == (["camera_offline"], ["HL-2"])


def test_the_kind_that_the_rules_were_asked_about_is_looked_for() -> None:
    asked = QueryPlan(intent="list_procedures", arguments={"query": "how wide a cordon for an unattended bag?"})
    got = say("have we had one of those today?", Memory(plan=asked, last="list_procedures"))
    assert got.tool == "search_events"
    assert (got.arguments or {})["event_types"] == ["abandoned_object"]


@pytest.mark.parametrize("said", ["cùng hồ sơ", "theo hồ sơ đó", "under that file", "same case"])
def test_the_case_of_the_talk_is_pointed_at(said: str) -> None:
    memory = listed(event_id="e2", case_number="HS-2026-0771")
    got = say(f"xuất bằng chứng cái đó, {said}, mục đích xử phạt", memory)
    assert (got.arguments or {})["case_number"] == "HS-2026-0771"


def test_who_says_that_there_is_no_case_is_lent_none() -> None:
    memory = listed(event_id="e2", case_number="HS-2026-0771")
    got = say("xuất bằng chứng cái đó, chưa có hồ sơ, mục đích xử phạt", memory)
    assert got.ask is not None
    assert got.ask.missing == "case_number"


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("bỏ hôm nay ra, chỉ ngày 19", "19T00:00", "20T00:00"),
        ("drop today's, just the 19th", "19T00:00", "20T00:00"),
        ("same thing, Wednesday", "18T00:00", "19T00:00"),
    ],
)
def test_of_two_days_the_one_that_is_not_taken_out_counts(said: str, start: str, end: str) -> None:
    wanted = say(said, listed()).arguments or {}
    assert (wanted["time_from"], wanted["time_to"]) == (at(start).isoformat(), at(end).isoformat())


def test_hours_stay_where_the_same_is_asked_of_another_day() -> None:
    before = QueryPlan(intent="search_events", event_types=["fight"], time_from=at("18T21:00"), time_to=at("18T23:00"))
    wanted = say("same thing, Friday", Memory(plan=before, last="search_events")).arguments or {}
    assert (wanted["time_from"], wanted["time_to"]) == (at("20T21:00").isoformat(), at("20T23:00").isoformat())


def test_a_condition_named_is_taken_out_alone() -> None:
    before = QueryPlan(intent="list_cameras", status="offline", owner="police")
    memory = Memory(plan=before, topic="camera", cameras=["HL-1", "HL-2"], last="list_cameras")
    assert say("bỏ điều kiện chủ quản đi, lấy hết", memory).arguments == {"status": "offline"}


def test_everything_is_of_any_kind() -> None:
    wanted = say("mức cao trở lên, mọi sự kiện từ 13h hôm nay", listed()).arguments or {}
    assert wanted["severity_min"] == "high"
    assert "event_types" not in wanted


@pytest.mark.parametrize("said", ["đã điều CSGT ra đó chưa", "did you send an ambulance to it?"])
def test_what_has_been_done_is_asked_and_not_ordered(said: str) -> None:
    memory = Memory(topic="incident", incident_id="K-3", incidents=[Remembered(id="K-3", status="new")])
    assert (say(said, memory).tool, say(said, memory).arguments) == ("get_incident", {"incident_id": "K-3"})


@pytest.mark.parametrize(
    "said", ["lập vành đai xong rồi nhé, đánh dấu bước đó giúp em", "đã lập vành đai, tích bước đó"]
)
def test_a_step_pointed_at_is_the_one_just_told_of(said: str) -> None:
    memory = Memory(topic="incident", incident_id="K-3", incidents=[Remembered(id="K-3", status="new")])
    assert (say(said, memory).arguments or {})["step_done"] == "lập vành đai"


def test_a_recording_of_the_camera_spoken_of() -> None:
    memory = Memory(topic="camera", camera_id="HL-2", last="get_snapshot")
    got = say("and its recording from 9 to 9:05 this morning", memory)
    assert (got.tool, (got.arguments or {})["camera_id"]) == ("get_clip", "HL-2")


def night(**more: Any) -> Memory:
    """A talk about intruders in the night of the 19th at one camera."""
    before = QueryPlan(intent="search_events", event_types=["intrusion"], objects=["car"], colors=["red"],
                       camera_ids=["HL-2"], time_from=at("19T22:00"), time_to=at("20T05:00"))  # fmt: skip
    return Memory(results=ROWS, topic="event", plan=before, last="search_events", **more)


@pytest.mark.parametrize(
    ("said", "begin", "end"),
    [
        ("lúc 3 giờ rưỡi sáng đó có ai đánh nhau không", "20T03:20", "20T03:40"),
        ("còn đêm đó có ai xả rác không", "19T22:00", "20T05:00"),
        ("bữa đó có ai xả rác nữa không", "19T00:00", "20T05:00"),
        ("rồi có thằng nào đánh lộn hông", "19T22:00", "20T05:00"),
        ("and fights the day before that?", "18T22:00", "19T05:00"),
    ],
)
def test_times_of_a_night_spoken_of(said: str, begin: str, end: str) -> None:
    wanted = say(said, night()).arguments or {}
    assert (wanted["time_from"], wanted["time_to"]) == (at(begin).isoformat(), at(end).isoformat())
    assert wanted["camera_ids"] == ["HL-2"]


@pytest.mark.parametrize("said", ["bữa đó có xe máy nào nữa không", "hôm đó có xe nào khác không"])
def test_looks_are_forgotten_where_any_such_thing_is_asked_for(said: str) -> None:
    wanted = say(said, night()).arguments or {}
    assert wanted["event_types"] == ["intrusion"]
    assert "colors" not in wanted


@pytest.mark.parametrize("said", ["khoan chưa gửi đâu", "để tui coi lại đã", "hold on, let me check"])
def test_putting_off_where_nothing_waits_asks_nothing(said: str) -> None:
    assert say(said, Memory()).talk == "nothing_waits"


def test_a_fault_behind_a_list_of_cameras_is_a_state() -> None:
    memory = Memory(plan=QueryPlan(intent="list_cameras", status="degraded"), topic="camera", cameras=["HL-1", "HL-2"],
                    camera_id="HL-1", last="list_cameras")  # fmt: skip
    got = say("còn con nào rớt mạng hông", memory)
    assert (got.tool, got.arguments) == ("list_cameras", {"status": "offline"})


@pytest.mark.parametrize(
    "said", ["báo tui khi có nữa ở cầu Bãi Cháy", "alert me whenever one shows up at cầu Bãi Cháy"]
)
def test_a_watch_for_more_of_the_same(said: str) -> None:
    got = say(said, night())
    assert got.tool == "create_watch"
    wanted = (got.arguments or {})["filter"]
    assert (wanted["event_types"], wanted["camera_ids"]) == (["intrusion"], ["HL-1"])


def test_a_step_of_the_incident_asked_about() -> None:
    got = say("đánh dấu đã báo kỹ thuật giùm", Memory(topic="incident", incident_id="SV.7"))
    assert (got.tool, got.arguments) == ("update_incident", {"incident_id": "SV.7", "step_done": "báo kỹ thuật"})
