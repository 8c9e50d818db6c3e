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
    ],
)
def test_several_wishes_are_cut_and_one_is_not(said: str, parts: int) -> None:
    assert len(clauses(said)) == parts
