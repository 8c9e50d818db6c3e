"""The pieces that plans are made of: codes of any shape, ends of standing wishes, names of staff, announced texts."""

from __future__ import annotations

from datetime import datetime

import pytest

from matpho_agent.language.codes import birth_date, citizen_id, read_codes
from matpho_agent.language.deadlines import read_deadline, read_horizon
from matpho_agent.language.names import find_people, find_units
from matpho_agent.language.pieces import blanked, quotations, read_pieces
from matpho_agent.language.places import Place, PlaceIndex
from matpho_agent.language.times import read_time
from matpho_agent.language.tokens import read_text
from matpho_agent.planner.llm import PlannerFailedError, with_codes
from matpho_tools.city import PersonName, UnitName

NOW = datetime.fromisoformat("2026-11-21T14:30:00+07:00")
"""A Saturday."""
STAFF = (
    PersonName("a", "Đại úy Trần Thị Hằng", "officer"),
    PersonName("b", "Thiếu tá Lý Thu Hằng", "investigator"),
    PersonName("c", "Đại tá Cao Quang Vinh", "commander"),
)


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ("đóng vụ INC-2026-00017", [("INC-2026-00017", "incident")]),
        ("vụ sv/12 xong rồi", [("SV/12", "incident")]),
        ("hồ sơ 147/2026 và vụ K9-3", [("147/2026", "case"), ("K9-3", "incident")]),
        ("hs HS-2026-0102", [("HS-2026-0102", "case")]),
        ("case number CR_88", [("CR_88", "case")]),
        ("phản ánh DN-PA-0045 của tôi", [("DN-PA-0045", "report")]),
        ("yêu cầu #15", [("15", "request")]),
        ("duyệt XM-77", [("XM-77", "request")]),
        ("quy trình SOP-CHAY nói gì", [("SOP-CHAY", "procedure")]),
        ("mở ABC-123 xem", [("ABC-123", "")]),
        ("cam HK-01 hôm qua", []),
        ("vụ 19/11 lúc 7h", []),
        ("từ 7h đến 9h ngày 19/11", []),
        ("vụ 3 người ngã", []),
        ("xe 29H-556.31", []),
    ],
)
def test_codes_of_any_shape(said: str, codes: list[tuple[str, str]]) -> None:
    found = read_codes(
        read_text(said), [(m, m + 10) for m in [said.find("29H")] if m >= 0], lambda name: name == "HK-01"
    )
    assert [(code.text, code.kind) for code in found] == codes


def test_citizens_and_births() -> None:
    assert citizen_id("cccd 001 185 000 077, le thi gia") == ("001185000077", (5, 20))
    assert citizen_id("so 00118500007") is None
    assert (birth_date("sinh ngay 14/07/1985") or ("",))[0] == "1985-07-14"
    assert (birth_date("born 1985-07-14") or ("",))[0] == "1985-07-14"
    assert birth_date("sinh 32/13/1985") is None


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("tới hết 30/11", "12-01 00:00"),
        ("hết ngày 25/11 thì dừng", "11-26 00:00"),
        ("expires in 7 days", "11-28 14:30"),
        ("trong vòng 48 giờ", "11-23 14:30"),
        ("trong 2 tuần", "12-05 14:30"),
        ("3 ngày tới", "11-24 14:30"),
        ("báo tôi, 5 ngày nhé", "11-26 14:30"),
        ("until Friday", "11-28 00:00"),
        ("đến 20h tối nay", "11-21 20:00"),
        ("đến 6h sáng mai", "11-22 06:00"),
        ("until tomorrow", "11-23 00:00"),
        ("hết tháng này", "12-01 00:00"),
        ("until the end of the week", "11-23 00:00"),
        ("hết hôm nay", "11-22 00:00"),
    ],
)
def test_a_standing_wish_ends_ahead(said: str, end: str) -> None:
    found = read_deadline(read_text(said), NOW)
    assert found is not None
    assert found[0].strftime("%m-%d %H:%M") == end
    assert found[0] > NOW


@pytest.mark.parametrize("said", ["đi từ nhà hát đến chợ", "xe đến từ hôm qua", "3 ngày qua", "canh giúp tôi"])
def test_what_is_no_end_is_none(said: str) -> None:
    found = read_deadline(read_text(said), NOW)
    assert found is None or found[0] > NOW
    if "ngày qua" in said or "canh" in said or "chợ" in said:
        assert found is None


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("dự báo 3 ngày tới", 3),
        ("tuần tới", 7),
        ("thêm một tuần nữa", 7),
        ("next 10 days", 10),
        ("tháng sau", 30),
        ("ngày mai", 1),
    ],
)
def test_how_far_ahead(said: str, days: int) -> None:
    found = read_horizon(read_text(said))
    assert found is not None
    assert found[0] == days


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ("của Đại úy Hằng", ["a"]),
        ("giao cho thiếu tá hằng", ["b"]),
        ("by Trần Thị Hằng yesterday", ["a"]),
        ("của cao quang vinh", ["c"]),
        ("của chị Hằng", ["a", "b"]),
        ("vịnh Hạ Long", []),
        ("hằng ngày", []),
    ],
)
def test_staff_by_rank_and_given_name(said: str, ids: list[str]) -> None:
    found = [name for match in find_people(read_text(said).tokens, STAFF) for name in match.ids]
    assert found == ids


def test_units_by_name_alias_and_id() -> None:
    units = (UnitName("U-1", "Công an phường Láng", ("CAP Láng",), "L", "police"),)
    for said in ("điều CAP Láng tới", "dieu cong an phuong lang toi", "send U-1 there"):
        assert [match.ids for match in find_units(read_text(said).tokens, units)] == [("U-1",)]
    assert find_units(read_text("đường Láng").tokens, units) == []


def test_announced_pieces_stop_where_the_next_begins() -> None:
    text = read_text("xác minh, mục đích xử phạt vi phạm môi trường, cần họ tên và địa chỉ; hồ sơ 12-2026")
    found = read_pieces(text, {"purpose", "fields"})
    assert found.values == {"purpose": "xử phạt vi phạm môi trường", "fields": "họ tên và địa chỉ"}
    assert "phạt" not in [token.typed for token in blanked(text, found.spans).tokens]


def test_quotations_are_found_with_every_kind_of_mark() -> None:
    for opening, closing in ('""', "“”", "«»", "「」"):
        said = f"dân nhắn: {opening}đóng vụ này ngay lập tức{closing} nhé"
        assert [content for content, _span in quotations(read_text(said))] == ["đóng vụ này ngay lập tức"]


def test_a_month_and_a_street_called_after_a_day() -> None:
    month = read_time(read_text("tháng 10"), NOW).range
    assert month is not None
    assert month.time_from == datetime.fromisoformat("2026-10-01T00:00:00+07:00")
    later = read_time(read_text("in December"), NOW).range
    assert later is not None
    assert later.time_from == datetime.fromisoformat("2025-12-01T00:00:00+07:00")


def test_a_models_names_become_codes_inside_a_filter_too() -> None:
    places = PlaceIndex([Place("area", "L", "Phường Láng", ("Láng",)), Place("camera", "C-1", "Cầu 361", area="L")])
    arguments = with_codes({"filter": {"areas": ["Láng"], "camera_ids": ["cầu 361"]}, "area": "Phường Láng"}, places)
    assert arguments == {"filter": {"areas": ["L"], "camera_ids": ["C-1"]}, "area": "L"}
    with pytest.raises(PlannerFailedError):
        with_codes({"filter": {"areas": ["Atlantis"]}}, places)
