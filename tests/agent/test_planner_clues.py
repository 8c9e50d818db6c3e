"""Happenings that no phrase names: scattered words give them away, and words that only look like it do not."""

from __future__ import annotations

from datetime import datetime

import pytest

from matpho_agent.language.clues import given_away
from matpho_agent.language.places import Place, PlaceIndex
from matpho_agent.language.tokens import read_text
from matpho_agent.planner.dialogue import take_step
from matpho_agent.planner.plan import Memory
from matpho_agent.planner.situation import Situation
from matpho_contracts.times import VIETNAM

SA_DEC = Situation(
    datetime(2027, 2, 3, 9, 30, tzinfo=VIETNAM),
    PlaceIndex([Place("area", "SD", "Phường Sa Đéc"), Place("camera", "SD-3", "Cầu Sắt Quay", (), "SD")]),
    ("SD",),
    frozenset({"search_events", "event_statistics", "get_snapshot", "list_cameras"}),
    role="officer",
)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("sáng nay xe khách nào lật ở đâu", "collision"),
        ("hồi nãy con xe ben cán trúng ông nào đó", "collision"),
        ("a scooter got knocked over last night", "collision"),
        ("hôm qua chiếc xe tải bể bánh nằm chình ình giữa cầu", "stopped_vehicle"),
        ("xe cộ nối đuôi nhau cả cây số hồi chiều", "congestion"),
        ("taxi đỗ hàng đôi trước bến tối qua", "illegal_parking"),
        ("vans left across the zebra crossing this morning", "illegal_parking"),
        ("chiếc ba gác phóng ngược dòng trong hầm", "wrong_way"),
        ("bà con băng ngang cao tốc hồi sáng", "pedestrian_on_road"),
        ("a man squeezed through the fence of the yard at night", "intrusion"),
        ("mấy thanh niên ngồi lì trước tiệm vàng lúc khuya", "loitering"),
        ("dân bu đông nghẹt trước chợ tối qua", "crowd"),
        ("two blokes swinging punches outside the bar", "fight"),
        ("tụi nó cầm gậy phang nhau túi bụi", "fight"),
        ("cái thùng giấy để đó cả buổi chẳng ai đụng tới", "abandoned_object"),
        ("ngọn lửa ở bãi phế liệu đêm qua", "fire"),
        ("hầm chui nước lênh láng sáng nay", "flooding"),
        ("bà già trượt chân trước nhà thờ", "person_fallen"),
        ("someone slinging rubble by the canal, tipped it all there", "illegal_dumping"),
        ("quán nhậu kê bàn kín vỉa hè", "sidewalk_encroachment"),
        ("gravel all over the road after the lorry", "material_spill"),
        ("nhà xây không có giấy phép", "construction_violation"),
        ("parents crammed outside the school gate", "gate_crowding"),
        ("trẻ con đá banh dưới đường", "child_on_road"),
    ],
)
def test_scattered_words_give_it_away(said: str, kind: str) -> None:
    assert take_step(said, SA_DEC, Memory()).plan.event_types == [kind]


@pytest.mark.parametrize(
    "said",
    [
        "chiếc xe máy màu tông trầm ở cầu Sắt Quay",
        "cho xem camera cầu Sắt Quay đang hướng ra đường",
        "người mặc áo đỏ cầm dù đi qua cầu hôm qua",
        "a woman with a suitcase at the bridge yesterday",
        "lan gan nhat co xe tai trang la bao gio",
        "xe ba gac cho do cong kenh hom nay",
        "có bao nhiêu xe buýt qua cầu sáng nay",
    ],
)
def test_what_only_looks_like_it_gives_nothing_away(said: str) -> None:
    assert take_step(said, SA_DEC, Memory()).plan.event_types == []


def test_two_kinds_that_weigh_the_same_give_nothing_away() -> None:
    tokens = read_text("khói đen, lửa cháy").tokens
    assert given_away(tokens, range(len(tokens))) is None
    assert given_away(tokens[:2], range(2)) == ("smoke", ((0, 1), (1, 2)))


def test_words_that_mean_something_else_are_left_alone() -> None:
    tokens = read_text("lửa cháy ở kho").tokens
    assert given_away(tokens, {2, 3}) is None
