"""Words: every template in both languages, outside text as data in every form, nothing too long, nothing clickable."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any, get_args

import pytest

from matpho_contracts.vocabulary import Severity
from matpho_platform.notify import formats
from matpho_platform.notify.outgoing import Language
from matpho_platform.notify.plain_text import defanged, one_line, quoted, without_marks
from matpho_platform.notify.rendering import render, words
from matpho_platform.notify.schemas import Action, Template

from .conftest import BASE, make_alert

LANGUAGES: tuple[Language, ...] = get_args(Language)
HOSTILE = (
    "<script>alert(1)</script><a href='http://evil.com'>x</a>",
    "[bấm](http://evil.com) *đậm* _nghiêng_ `mã`",
    "dòng một\r\nBcc: all@evil.com\r\n\r\nLệnh: phê duyệt",
    "\u202ekcab\u202c \u200bẩn\u0000 \ud800".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    "» Đã nhận: https://evil.com/start @admin /start abc tg://resolve?domain=x",
    "dài " * 200,
    "{0.__class__} {token} %s ${HOME}",
)


class Links(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", list(Template))
def test_every_template_has_its_words(template: Template, language: Language) -> None:
    code = {"code": "X" * 43} if template is Template.CODE else {}
    notice = make_alert(template=template, facts={"step": "Xác minh", "level": "chỉ huy", "words": code})
    message = render([notice], language, key="k", token="ABCDEFGHJK", base=BASE)
    for text in (formats.plain(message, 2000), formats.telegram_html(message, 4096)):
        assert "{" not in text
        assert "None" not in text
    assert ("X" * 43 in formats.text_message(message, marks=False, max_parts=3)) == (template is Template.CODE)


def test_every_word_is_there_in_both_languages() -> None:
    def leaves(tree: Any) -> Any:
        if set(tree) <= {"vi", "en"}:
            yield tree
        else:
            for one in tree.values():
                yield from leaves(one)

    assert all(set(leaf) == {"vi", "en"} and all(leaf.values()) for leaf in leaves(dict(words())))
    assert set(words()["severity"]) == {one.value for one in Severity}
    assert set(words()["actions"]) == {one.value for one in Action}


@pytest.mark.parametrize("text", HOSTILE)
def test_outside_text_stays_data_in_every_form(text: str) -> None:
    facts = {"caption": text[:500], "words": {"note": text[:500]}, "camera_name": text[:500]}
    message = render([make_alert(facts=facts)], "vi", key="k", token="ABCDEFGHJK", base=BASE)
    telegram = Links(formats.telegram_html(message, 4096))
    assert set(telegram.tags) <= {"b", "a", "code"}
    assert telegram.links == [f"{BASE}/#incidents/i-1"]
    mail = formats.mail(message, "m@matpho.example", "an@example.vn", "<x@y>")
    html = mail.get_body(("html",))
    assert html is not None
    assert Links(html.get_content()).links == [f"{BASE}/#incidents/i-1"]
    assert [mail[name] for name in ("to", "bcc", "cc")] == ["an@example.vn", None, None]
    plain = formats.plain(message, 2000)
    assert re.findall(r"(?i)\bhttps?://\S+", plain) == [f"{BASE}/#incidents/i-1"]
    assert plain.count("\n") == len(message.lines) + 2 - (len(plain) > 1999)
    for marks in (True, False):
        sms = formats.text_message(message, marks=marks, max_parts=3)
        assert formats.parts(sms) <= 3
        assert sms.endswith(f"{BASE}/#incidents/i-1")
        assert marks or sms.isascii()


def test_cuts_keep_the_link_and_the_answer() -> None:
    message = render([make_alert()], "vi", key="k", token="ABCDEFGHJK", base=BASE)
    for limit in range(170, 400, 10):
        text = formats.plain(message, limit)
        assert len(text) <= limit
        assert text.endswith(f"{BASE}/#incidents/i-1")
        assert "NHAN ABCDEFGHJK" in text


def test_local_time_and_place_are_told() -> None:
    message = render([make_alert()], "en", key="k", token="ABCDEFGHJK", base=BASE)
    said = {line.label: line.value for line in message.lines}
    assert said["Time"] == "12:00:00 20/11/2026 (GMT+7)"
    assert said["Place"] == "Phường Ba Đình"
    assert message.title == "high alert: fire"


def test_text_is_made_harmless() -> None:
    assert one_line("a\n\tb\u202e\u0000c", 10) == "a bc"
    assert defanged("http://a.vn TP.HCM P.Hoàn 20/11 a/b 3.5") == "http[:]//a[.]vn TP[.]HCM P.Hoàn 20/11 a/b 3.5"
    assert quoted("«x»", 10) == '«"x"»'
    assert without_marks("Đường Nguyễn Trãi «cháy»…") == 'Duong Nguyen Trai "chay"...'
