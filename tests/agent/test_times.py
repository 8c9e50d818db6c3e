"""Time expressions in Vietnamese and English, read at a fixed Saturday afternoon."""

from __future__ import annotations

from datetime import datetime

import pytest

from matpho_agent.language.times import describe, read_time
from matpho_agent.language.tokens import read_text

NOW = datetime.fromisoformat("2026-11-21T14:30:00+07:00")

RANGES = [
    ("tối qua", "11-20 18:00", "11-20 22:00"),
    ("toi qua", "11-20 18:00", "11-20 22:00"),
    ("sáng nay có gì", "11-21 05:00", "11-21 11:00"),
    ("chiều nay", "11-21 13:00", "11-21 14:30"),
    ("hôm qua", "11-20 00:00", "11-21 00:00"),
    ("hôm kia", "11-19 00:00", "11-20 00:00"),
    ("hom nay", "11-21 00:00", "11-22 00:00"),
    ("đêm qua", "11-20 22:00", "11-21 05:00"),
    ("rạng sáng nay", "11-21 00:00", "11-21 05:00"),
    ("đêm 20 rạng 21/11", "11-20 22:00", "11-21 05:00"),
    ("tuần này", "11-16 00:00", "11-22 00:00"),
    ("tuần trước", "11-09 00:00", "11-16 00:00"),
    ("tháng này", "11-01 00:00", "11-22 00:00"),
    ("2 giờ qua", "11-21 12:30", "11-21 14:30"),
    ("30 phút vừa qua", "11-21 14:00", "11-21 14:30"),
    ("nửa tiếng trước", "11-21 14:00", "11-21 14:30"),
    ("ba ngày gần đây", "11-18 14:30", "11-21 14:30"),
    ("từ 7h đến 9h ngày 19/11", "11-19 07:00", "11-19 09:00"),
    ("từ 22h hôm qua đến 5h sáng nay", "11-20 22:00", "11-21 05:00"),
    ("7-9h sáng nay", "11-21 07:00", "11-21 09:00"),
    ("lúc 15h30 ngày 19/11", "11-19 15:20", "11-19 15:40"),
    ("3 giờ chiều hôm qua", "11-20 14:50", "11-20 15:10"),
    ("thứ hai tuần trước", "11-09 00:00", "11-10 00:00"),
    ("từ đầu tuần tới giờ", "11-16 00:00", "11-21 14:30"),
    ("từ sáng đến giờ", "11-21 05:00", "11-21 14:30"),
    ("từ ngày 15 đến ngày 19/11", "11-15 00:00", "11-20 00:00"),
    ("ngày 19 tháng 11 của phường", "11-19 00:00", "11-20 00:00"),
    ("trước 7h sáng nay", "11-21 00:00", "11-21 07:00"),
    ("in the past 2 hours", "11-21 12:30", "11-21 14:30"),
    ("last night", "11-20 18:00", "11-21 05:00"),
    ("yesterday evening", "11-20 18:00", "11-20 22:00"),
    ("this Tuesday", "11-17 00:00", "11-18 00:00"),
    ("last Friday night", "11-20 18:00", "11-21 05:00"),
    ("kẹt xe sáng giờ", "11-21 05:00", "11-21 14:30"),
    ("hqua", "11-20 00:00", "11-21 00:00"),
    ("mấy hôm nay", "11-18 14:30", "11-21 14:30"),
    ("không có xe máy hôm nay", "11-21 00:00", "11-22 00:00"),
    ("since Monday", "11-16 00:00", "11-21 14:30"),
    ("from 15 to 19 November", "11-15 00:00", "11-20 00:00"),
    ("between 10 and 10:30 pm on 20 November", "11-20 22:00", "11-20 22:30"),
    ("from 7 to 9 am yesterday", "11-20 07:00", "11-20 09:00"),
    ("thứ ba vừa rồi từ nửa đêm tới gần sáng", "11-17 00:00", "11-17 05:00"),
    ("last night or the night before", "11-19 18:00", "11-21 05:00"),
    ("hôm kia hoặc hôm qua", "11-19 00:00", "11-21 00:00"),
    ("tu 5h toi gio", "11-21 05:00", "11-21 14:30"),
    ("tu 6 gio toi 8 gio sang ngay 18 thang 11", "11-18 06:00", "11-18 08:00"),
    ("ke o nga tu hom thu nam", "11-19 00:00", "11-20 00:00"),
    ("hôm qua, à nhầm, hôm kia", "11-19 00:00", "11-20 00:00"),
    ("on Monday, sorry, on Tuesday", "11-17 00:00", "11-18 00:00"),
    ("tối hôm thứ ba tầm bảy tám giờ", "11-17 19:00", "11-17 20:00"),
    ("midnight to five today", "11-21 00:00", "11-21 05:00"),
    ("from 9pm to 11 yesterday", "11-20 21:00", "11-20 23:00"),
    ("lúc bảy giờ tối hôm qua", "11-20 18:50", "11-20 19:10"),
    ("between eight and nine last night", "11-20 20:00", "11-20 21:00"),
    ("cả tuần", "11-16 00:00", "11-22 00:00"),
    ("3 giờ 20 sáng 18 xe ba gác", "11-18 03:10", "11-18 03:30"),
    ("cái hồi 5 giờ mấy sáng nay", "11-21 05:00", "11-21 06:00"),
    ("tu thu ba toi gio", "11-17 00:00", "11-21 14:30"),
    ("tu thu ba toi thu nam", "11-17 00:00", "11-20 00:00"),
    ("toi thu nam", "11-19 18:00", "11-19 22:00"),
    ("hum kia", "11-19 00:00", "11-20 00:00"),
    ("on the 16th and 17th", "11-16 00:00", "11-18 00:00"),
    ("late on the 12th going into the 13th", "11-12 18:00", "11-13 05:00"),
    ("ban ngày hôm qua", "11-20 05:00", "11-20 18:00"),
    ("yesterday after dark", "11-20 18:00", "11-21 05:00"),
    ("sáng sớm hôm qua", "11-20 04:00", "11-20 08:00"),
    ("còn chỗ kia thì sao, ngày 18 đó", "11-18 00:00", "11-19 00:00"),
    ("khoảng 10 giờ tối qua", "11-20 21:30", "11-20 22:30"),
    ("tầm 9h sáng nay", "11-21 08:30", "11-21 09:30"),
    ("tam 7 ruoi sang nay", "11-21 07:00", "11-21 08:00"),
    ("in the past half hour", "11-21 14:00", "11-21 14:30"),
    ("last half an hour", "11-21 14:00", "11-21 14:30"),
    ("between nine and half past ten last night", "11-20 21:00", "11-20 22:30"),
    ("ten to eight this morning", "11-21 07:40", "11-21 08:00"),
    ("bảy giờ kém mười sáng nay", "11-21 06:40", "11-21 07:00"),
    ("chín giờ hai mươi tối qua", "11-20 21:10", "11-20 21:30"),
    ("at 2 last night", "11-21 01:50", "11-21 02:10"),
    ("on the 18th at about 5 in the afternoon", "11-18 16:30", "11-18 17:30"),
    ("lúc tan tầm hôm qua", "11-20 16:30", "11-20 19:00"),
    ("giờ cao điểm sáng thứ năm", "11-19 06:30", "11-19 09:00"),
    ("rush hour yesterday evening", "11-20 16:30", "11-20 19:00"),
    ("in the early hours of Sunday", "11-15 00:00", "11-15 05:00"),
    ("chập tối hôm kia", "11-19 17:00", "11-19 19:30"),
    ("two nights ago", "11-19 18:00", "11-20 05:00"),
    ("cách đây hai hôm", "11-19 00:00", "11-20 00:00"),
    ("ba ngày trước", "11-18 00:00", "11-19 00:00"),
    ("mấy đêm nay", "11-18 18:00", "11-21 14:30"),
    ("ca trực trước", "11-21 06:00", "11-21 14:00"),
    ("hồi nãy có gì", "11-21 13:30", "11-21 14:30"),
    ("trong 2h qua", "11-21 12:30", "11-21 14:30"),
    ("sau 10 giờ đêm qua", "11-20 22:00", "11-21 05:00"),
    ("từ 5h chiều hôm qua", "11-20 17:00", "11-21 14:30"),
    ("trong tháng 10", "10-01 00:00", "11-01 00:00"),
    ("cuối tháng trước", "10-21 00:00", "11-01 00:00"),
    ("tuần trước nữa", "11-02 00:00", "11-09 00:00"),
    ("giờ này hôm qua", "11-20 14:20", "11-20 14:40"),
    ("hôm qua hôm kia", "11-19 00:00", "11-21 00:00"),
    ("khuya thứ ba", "11-17 22:00", "11-18 05:00"),
]


@pytest.mark.parametrize(("said", "time_from", "time_to"), RANGES)
def test_a_range_is_read(said: str, time_from: str, time_to: str) -> None:
    found = read_time(read_text(said), NOW).range
    assert found is not None
    assert found.time_from is not None
    assert found.time_to is not None
    assert (found.time_from.strftime("%m-%d %H:%M"), found.time_to.strftime("%m-%d %H:%M")) == (time_from, time_to)
    assert found.time_from.utcoffset() == NOW.utcoffset()


@pytest.mark.parametrize(
    "said", ["cái thứ hai", "tôi qua đó xem", "phường Hai Bà Trưng", "xe tải màu cam", "camera số 5"]
)
def test_what_is_no_time_is_left_alone(said: str) -> None:
    assert read_time(read_text(said), NOW).range is None


def test_after_midnight_yesterday_is_the_day_before() -> None:
    early = datetime.fromisoformat("2026-11-22T00:20:00+07:00")
    found = read_time(read_text("hôm qua"), early).range
    assert found is not None
    assert found.time_from == datetime.fromisoformat("2026-11-21T00:00:00+07:00")


def test_a_present_in_another_zone_gives_local_days() -> None:
    found = read_time(read_text("hôm nay"), datetime.fromisoformat("2026-11-21T20:00:00+00:00")).range
    assert found is not None
    assert found.time_from == datetime.fromisoformat("2026-11-22T00:00:00+07:00")


def test_the_range_read_is_echoed() -> None:
    found = read_time(read_text("tối qua"), NOW).range
    assert found is not None
    assert describe(found.time_from, found.time_to, "vi") == "18:00–22:00, 20/11/2026"
    whole = read_time(read_text("hôm qua"), NOW).range
    assert whole is not None
    assert describe(whole.time_from, whole.time_to, "vi") == "ngày 20/11/2026"
