"""From a clause to a typed plan: words with and without marks, typos, negation, places, descriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from matpho_agent.language.places import Place, PlaceIndex
from matpho_agent.planner.clauses import clauses
from matpho_agent.planner.reader import Situation, read_clause

PLACES = PlaceIndex(
    [
        Place("area", "DN", "Thành phố Đà Nẵng", ("Đà Nẵng",)),
        Place("area", "DN-HC", "Phường Hải Châu", ("Hải Châu",), "DN"),
        Place("area", "DN-ST", "Phường Sơn Trà", ("Sơn Trà",), "DN"),
        Place("camera", "HC-01", "Chợ Cồn - cổng chính", area="DN-HC", location=(16.06, 108.21), camera_kind="ptz"),
        Place("camera", "HC-02", "Chợ Cồn - cổng sau", area="DN-HC"),
        Place("camera", "HC-03", "Ga Đà Nẵng", ("nhà ga",), area="DN-HC", location=(16.07, 108.2)),
        Place("camera", "ST-01", "Ngã ba Hoàng Sa - Lê Đức Thọ", area="DN-ST"),
    ]
)
NOW = datetime.fromisoformat("2026-11-21T14:30:00+07:00")


def plan(said: str) -> Any:
    return read_clause(said, Situation(NOW, PLACES, ("DN-HC",)))[0]


@pytest.mark.parametrize(
    ("said", "types"),
    [
        ("có vụ đánh nhau nào", ["fight"]),
        ("co vu danh lon nao", ["fight"]),
        ("kẹt xe ở đâu", ["congestion"]),
        ("ùn tắc ở đâu", ["congestion"]),
        ("xe đậu sai chỗ cấm", ["illegal_parking"]),
        ("xe do sai quy dinh", ["illegal_parking"]),
        ("ai không đội nón bảo hiểm", ["no_helmet"]),
        ("any colision this morning", ["collision"]),
        ("vượt đèn đò", ["red_light"]),
        ("show fights and fires", ["fight", "fire"]),
        ("trẻ em chạy xuống lòng đường", ["child_on_road"]),
    ],
)
def test_kinds_of_events(said: str, types: list[str]) -> None:
    assert plan(said).event_types == types


def test_words_that_became_filters_leave_nothing_to_describe() -> None:
    read = plan("tìm giúp em xe tải màu trắng đổ rác tối qua ở phường Hải Châu với")
    assert (read.event_types, read.objects, read.colors, read.areas) == (
        ["illegal_dumping"],
        ["truck"],
        ["white"],
        ["DN-HC"],
    )
    assert read.query == ""


def test_a_camera_that_is_called_after_turning_is_not_turned_and_packing_is_no_package() -> None:
    assert plan("chụp giùm một tấm ở cái máy quay này").intent == "get_snapshot"
    assert plan("package the last one up as evidence").objects == []


def test_words_that_describe_stay_with_the_picture_they_belong_to() -> None:
    read = plan("xe tải trắng chở cát")
    assert (read.objects, read.colors) == (["truck"], ["white"])
    assert read.query == "xe tải trắng chở cát"


@pytest.mark.parametrize("said", ["xe máy không có xe tải", "motorbikes without a truck", "xe máy trừ xe tải"])
def test_what_is_denied_is_a_filter_and_never_a_description(said: str) -> None:
    read = plan(said)
    assert read.objects == ["motorcycle"]
    assert read.objects_not == ["truck"]
    assert read.query == ""


def test_marks_tell_red_from_that() -> None:
    assert plan("ô tô đỏ").colors == ["red"]
    assert plan("ô tô đó").colors == []


def test_orange_is_no_camera() -> None:
    assert plan("ô tô màu cam").colors == ["orange"]
    assert plan("xem cam Chợ Cồn cổng sau").colors == []


def test_plates_counts_and_ids() -> None:
    assert plan("xe biển số 43A-123.45 hôm qua").plate == "43A-123.45"
    assert plan("xe đuôi 772.90").plate == "772.90"
    assert plan("đám đông hơn 50 người").min_count == 51
    assert plan("từ 30 người trở lên").min_count == 30
    event_id = "01a1f962-bc80-72bb-a617-ed392a095ee8"
    assert plan(f"mở {event_id}").event.event_id == event_id


class TestPlaces:
    @pytest.mark.parametrize("said", ["ở chợ cồn cổng sau", "o cho con cong sau", "cam HC-02", "ở chợ cồn cổng sua"])
    def test_a_camera_by_name_with_or_without_marks_or_a_slip(self, said: str) -> None:
        assert plan(said).camera_ids == ["HC-02"]

    def test_part_of_a_name_that_fits_several_names_all_of_them(self) -> None:
        assert plan("xem cam chợ cồn").camera_options == ["HC-01", "HC-02"]

    def test_a_place_in_english(self) -> None:
        assert plan("fights at the Danang railway station").camera_ids == ["HC-03"]

    def test_the_only_province_is_everywhere(self) -> None:
        read = plan("đánh nhau trên toàn Đà Nẵng")
        assert read.everywhere
        assert read.areas == []

    def test_the_callers_own_area(self) -> None:
        assert plan("khu mình có vụ gì").areas == ["DN-HC"]

    def test_a_radius_around_a_camera(self) -> None:
        near = plan("có gì trong bán kính 300 m quanh nhà ga").near
        assert (near.lat, near.lon, near.radius_m) == (16.07, 108.2, 300)


class TestIntents:
    @pytest.mark.parametrize(
        ("said", "intent"),
        [
            ("cho xem clip vụ đó", "get_clip"),
            ("có cái nào giống vậy không", "find_similar_events"),
            ("bao nhiêu vụ va chạm tuần này theo ngày", "event_statistics"),
            ("hôm qua có mấy vụ va chạm, liệt kê ra", "search_events"),
            ("camera nào mất kết nối", "list_cameras"),
            ("tình trạng cam HC-01", "camera_status"),
            ("cho xem cam HC-01", "get_snapshot"),
            ("hôm nay cam nào bị che", ""),
            ("show me a snapshot of HC-01", "get_snapshot"),
            ("chi tiết cái thứ hai", "get_event"),
        ],
    )
    def test_the_tool_asked_for(self, said: str, intent: str) -> None:
        assert plan(said).intent == intent

    def test_grouping_and_comparison(self) -> None:
        read = plan("thống kê va chạm tuần này theo ngày so với tuần trước")
        assert (read.group_by, read.compare_to) == (["day"], "previous_period")
        assert read.time_from == datetime.fromisoformat("2026-11-16T00:00:00+07:00")


def test_several_wishes_are_cut_where_a_verb_begins() -> None:
    assert clauses("tìm xe tải tối qua rồi cho xem clip cái đầu tiên") == [
        "tìm xe tải tối qua",
        "cho xem clip cái đầu tiên",
    ]
    assert len(clauses("tối qua có đám đông nào không, ở chỗ nào")) == 1


@pytest.mark.parametrize("said", ["", "   ", "???", "\u200b", "đ" * 5000, "0" * 3000, "🚗🚙", "\x00\x1b[2J", "- - - /"])
def test_nothing_that_is_typed_breaks_the_reader(said: str) -> None:
    read = plan(said)
    assert not read.intent
    assert [*read.event_types, *read.objects, *read.areas, *read.camera_ids] == []
    assert read.plate is None
    assert read.time_from is None


@pytest.mark.parametrize(
    ("said", "colours", "cameras"),
    [
        ("người mặc áo cam", ["orange"], []),
        ("xe tải cam ở Hải Châu sáng nay", ["orange"], []),
        ("nguoi mac ao cam", ["orange"], []),
        ("có xe máy cam nào không", ["orange"], []),
        ("có người mặc áo cam nào không", ["orange"], []),
        ("xe tải cam nhà ga", [], ["HC-03"]),
        ("xe tải ở cam nhà ga", [], ["HC-03"]),
        ("xe tải màu cam", ["orange"], []),
        ("cam nào thấy xe tải", [], []),
    ],
)
def test_cam_is_a_colour_behind_a_thing_and_a_camera_before_a_place(
    said: str, colours: list[str], cameras: list[str]
) -> None:
    read = plan(said)
    assert (read.colors, read.camera_ids) == (colours, cameras)
    assert (read.intent == "list_cameras") is said.startswith("cam")


@pytest.mark.parametrize(
    "said", ["người mặc áo đỏ", "nguoi mac ao do", "ai mặc áo màu đỏ", "person in a red shirt", "someone wearing red"]
)
def test_what_a_person_wears_above_the_waist_is_their_colour_and_nothing_is_left_to_describe(said: str) -> None:
    read = plan(said)
    assert (read.colors, read.query) == (["red"], "")


def test_other_clothes_are_described() -> None:
    assert plan("người mặc áo mưa").query == "người mặc áo mưa"
