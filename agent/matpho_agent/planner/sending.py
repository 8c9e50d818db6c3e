"""Whether a unit is told to go somewhere in words of their own: `kêu công an phường chạy lên đó`."""

from __future__ import annotations

import re

from matpho_agent.language.lexicon import lexicon_of
from matpho_agent.language.names import find_units
from matpho_agent.language.tokens import Text
from matpho_agent.planner.situation import Situation

_GO = re.compile(
    r"^(?:(?:ok|uh?|roi|vay|thoi|a|da|please|em|anh|then|and|can you|could you)[ ,]+)*"
    r"(?:keu|nho|bao|bieu|noi|nhac|giuc|goi|tell|ask|get|have|let|want) (?P<whom>.{2,40}?)"
    r" (?:chay|len|xuong|toi|ra|qua|ghe|phong|vong|vot|lai"
    r"|(?:to )?(?:head|go|move|swing|rush|proceed|respond|drive|hurry))(?![0-9a-z])"
)
_ASKING = re.compile(r"(?<![0-9a-z])(?:nao|ai|chua|gi|which|who|what|khong|ko)(?![0-9a-z])|\?")
"""Words of those who ask whether somebody was told."""


def sent_off(text: Text, situation: Situation) -> bool:
    """Whether somebody is told (`kêu`, `nhờ`, `tell`), then a unit, then a word of going."""
    match = _GO.search(text.plain)
    if match is None or _ASKING.search(text.plain) or situation.role == "citizen":
        return False
    told = [token for token in text.tokens if match.start("whom") <= token.start < match.end("whom")]
    return bool(lexicon_of("unitkind").exact(told) or find_units(told, situation.units))
