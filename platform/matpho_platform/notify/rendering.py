"""From notices to a message in a person's language: title, lines, link, buttons, in no channel's form yet. Pure.

Whatever stands in a notice's facts is a value in a line or in a `{…}` of our own words; it never becomes words, a link
or a button. What came from outside is quoted as data;
names that boxes report for cameras cannot be links.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from matpho_contracts.times import VIETNAM
from matpho_contracts.vocabulary import EVENT_TYPES
from matpho_platform.notify.outgoing import Language, Line, Outgoing
from matpho_platform.notify.plain_text import defanged, one_line, quoted
from matpho_platform.notify.schemas import Action, Facts, Notice, Template

MAX_TITLE = 160
MAX_VALUE = 200
MAX_QUOTE = 300
MAX_LISTED = 8
"""Notices that a gathered message lists; the rest are counted."""
_WORDS = Path(__file__).parent / "words.yaml"


@cache
def words() -> Mapping[str, Any]:
    """The words of every language."""
    found: Mapping[str, Any] = yaml.safe_load(_WORDS.read_text(encoding="utf-8"))
    return found


def said(section: str, key: str, language: Language, **values: str) -> str:
    """One sentence of the words, filled in."""
    return str(words()[section][key][language]).format_map(values)


def render(
    notices: Sequence[Notice], language: Language, *, key: str, token: str, base: str, picture: bytes | None = None
) -> Outgoing:
    """A message of one notice or of many, the gravest first. `base` is our own address without a slash at its end."""
    lead = notices[0]
    alone = len(notices) == 1
    actions = tuple(lead.actions) if alone else ()
    return Outgoing(
        key=key,
        token=token,
        language=language,
        title=one_line(_title(lead, language) if alone else _group_title(notices, language), MAX_TITLE),
        lines=tuple(_lines(lead, language)) if alone else tuple(_listed(notices, language)),
        link=base + (lead.link if alone else "/"),
        link_words=str(words()["link"][language]),
        actions=tuple((action, said("actions", action.value, language)) for action in actions),
        answer_words=_answers(actions, language, token),
        picture=picture if alone else None,
        critical=any(notice.critical for notice in notices),
        data={"notices": [_data(notice) for notice in notices]},
    )


def _answers(actions: Sequence[Action], language: Language, token: str) -> str:
    if not actions:
        return ""
    each = [said("answers", action.value, language, token=token) for action in actions]
    return str(words()["answer"][language]).format(answers=" / ".join(each))


def _what(facts: Facts, language: Language) -> str:
    if facts.event_type is not None:
        name = EVENT_TYPES[facts.event_type][2]
        return name.vi if language == "vi" else name.en
    return facts.incident_id or str(words()["something"][language])


def _title(notice: Notice, language: Language) -> str:
    facts = notice.facts
    values = {
        "severity": said("severity", notice.severity.value, language),
        "what": _what(facts, language),
        "level": _value(facts.level) or "-",
        "step": _value(facts.step) or "-",
    }
    return said("titles", notice.template.value, language, **values)


def _value(text: str) -> str:
    return one_line(text, MAX_VALUE)


def _group_title(notices: Sequence[Notice], language: Language) -> str:
    highest = max((notice.severity for notice in notices), key=lambda severity: severity.rank)
    name = said("severity", highest.value, language)
    return str(words()["group"][language]).format(count=len(notices), severity=name)


def _lines(notice: Notice, language: Language) -> Iterator[Line]:
    facts, labels = notice.facts, words()["labels"]
    if notice.template is Template.CODE:
        yield Line(labels["code"][language], _value(facts.words.get("code", "")))
        return
    for key, value in (
        ("incident", facts.incident_id or ""),
        ("place", _value(facts.place)),
        ("camera", defanged(_value(facts.camera_name)) or facts.camera_id or ""),
        ("time", local_time(facts)),
        ("step", _value(facts.step)),
    ):
        if value:
            yield Line(labels[key][language], value)
    if facts.caption:
        yield Line(labels["caption"][language], quoted(facts.caption, MAX_QUOTE), quoted=True)
    for name, value in facts.words.items():
        label = labels[name][language] if name in labels else name
        yield Line(label, quoted(value, MAX_QUOTE), quoted=True)


def _listed(notices: Sequence[Notice], language: Language) -> Iterator[Line]:
    for notice in notices[:MAX_LISTED]:
        facts = notice.facts
        at = facts.time.astimezone(VIETNAM).strftime("%H:%M") if facts.time else "-"
        where = _value(facts.place) or facts.camera_id or facts.incident_id or ""
        yield Line(at, f"{_title(notice, language)}, {where}" if where else _title(notice, language))
    if len(notices) > MAX_LISTED:
        yield Line("", str(words()["more"][language]).format(count=len(notices) - MAX_LISTED))


def local_time(facts: Facts) -> str:
    """When it happened, on a clock in Vietnam."""
    return facts.time.astimezone(VIETNAM).strftime("%H:%M:%S %d/%m/%Y (GMT+7)") if facts.time else ""


def _data(notice: Notice) -> dict[str, Any]:
    facts = notice.facts.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {
        "template": notice.template.value,
        "severity": notice.severity.value,
        "severity_rank": notice.severity.rank,
        "facts": facts,
    }
