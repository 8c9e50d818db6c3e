"""Public information: questions as people ask them find their entry; a deployment's file overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from matpho_contracts.errors import BadInputError, ConfigurationError
from matpho_platform.information.library import MAX_QUERY, Library, read_entries

OWN = """
TT-GIOLAMVIEC:
  title: {vi: Giờ làm việc, en: Opening hours}
  text: {vi: "8 giờ đến 17 giờ", en: "8 am to 5 pm"}
  ask: [gio lam viec]
TT-CHODEM:
  title: {vi: Chợ đêm, en: Night market}
  text: {vi: "Mở tối thứ sáu đến chủ nhật.", en: "Open Friday to Sunday evening."}
  ask: [cho dem, night market]
"""


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(read_entries(None))


@pytest.mark.parametrize(
    ("question", "entry"),
    [
        ("cho xin sdt đường dây nóng", "TT-DUONGDAYNONG"),
        ("bên mình mấy giờ mở cửa vậy ạ", "TT-GIOLAMVIEC"),
        ("camera ngoai duong ghi nhung gi, de lam gi", "TT-CAMERAGHI"),
        ("vậy làm sao để biết camera đó ghi cái gì ạ", "TT-CAMERAGHI"),
        ("hình camera được giữ bao lâu thì xóa", "TT-LUUTRU"),
        ("How can I ask for a copy of the footage that shows me?", "TT-DULIEUCUATOI"),
        ("and who watches these cameras at night? what for?", "TT-AIXEM"),
        ("có dùng nhận diện khuôn mặt không", "TT-KHUONMAT"),
        ("tôi muốn khiếu nại quyết định xử phạt thì gửi ai", "TT-KHIEUNAI"),
        ("which laws protect my privacy", "TT-PHAPLUAT"),
        ("gửi phản ánh giấu tên được không", "TT-ANDANH"),
        ("toi da gui phan anh thi no duoc xu ly the nao", "TT-PHANANH"),
        ("xe tôi có bị phạt nguội không", "TT-VIPHAM"),
        ("what can you do?", "TT-TROLY"),
    ],
)
def test_a_question_finds_its_entry(library: Library, question: str, entry: str) -> None:
    assert library.search(question)[0].id == entry


def test_two_questions_in_one_find_both(library: Library) -> None:
    found = [passage.id for passage in library.search("cho xin sdt đường dây nóng với giờ làm việc")]
    assert set(found) >= {"TT-DUONGDAYNONG", "TT-GIOLAMVIEC"}


@pytest.mark.parametrize("question", ["", "???", "hôm nay ăn phở ở đâu ngon", "recipe for noodle soup"])
def test_what_it_does_not_know_finds_nothing(library: Library, question: str) -> None:
    assert library.search(question) == ()


def test_every_entry_speaks_both_languages(library: Library) -> None:
    topics = library.topics()
    assert len(topics) >= 12
    assert all(topic.text.vi != topic.text.en for topic in topics)


def test_an_endless_question_is_refused(library: Library) -> None:
    with pytest.raises(BadInputError):
        library.search("x" * (MAX_QUERY + 1))


def test_a_deployments_file_replaces_and_adds(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN, encoding="utf-8")
    own = Library(read_entries(path))
    assert own.search("giờ làm việc")[0].text.en == "8 am to 5 pm"
    assert own.search("chợ đêm mở lúc nào")[0].id == "TT-CHODEM"
    assert own.search("số điện thoại")[0].id == "TT-DUONGDAYNONG"


@pytest.mark.parametrize("text", ["TT-X: [1, 2", "TT-X: {title: only}", "[]"])
def test_a_file_that_cannot_be_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"own\.yaml"):
        read_entries(path)
