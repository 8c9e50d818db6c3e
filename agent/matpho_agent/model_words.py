"""What a planning model may say and file by itself: nothing of its instructions, no links, no report of its own making.

These are checks in code. A model that breaks one has failed, and the rules take over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from langchain_core.messages import AIMessage

from matpho_agent.planner.llm import PlannerFailedError
from matpho_contracts.text import words

RUN = 8
"""Words in a row that two texts have in common by copying, not by chance."""
OWN_WORDS = 0.8
"""Share of a report's words that its citizen must have said."""
_IMAGE = re.compile(r"!\[[^\]]{0,400}\]\([^)\s]{0,2000}[^)]{0,400}\)")
_LINK = re.compile(r"\[([^\]]{0,400})\]\([^)\s]{0,2000}[^)]{0,400}\)")
_ADDRESS = re.compile(r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.)\S+", re.IGNORECASE)


def checked_words(message: AIMessage, instructions: str, said: Iterable[str]) -> AIMessage:
    """The message without links; `said` are the person's own texts.

    Raises PlannerFailedError where it repeats its instructions, or files a report in words that nobody said.
    """
    text = str(message.content)
    if text and _repeats(text, instructions):
        raise PlannerFailedError("The model repeated its instructions.")
    known = {word for each in said for word in words(each)}
    for call in message.tool_calls:
        if call["name"] == "submit_feedback" and not _own(str(call["args"].get("text", "")), known):
            raise PlannerFailedError("The model filed a report that nobody dictated.")
    return AIMessage(content=without_links(text), tool_calls=message.tool_calls)


def without_links(text: str) -> str:
    """The text without images, and with nothing to click or to fetch.

    >>> without_links("xem ![x](https://a.example/?d=1) và [đây](http://b.example)")
    'xem  và đây'
    """
    return _ADDRESS.sub("", _LINK.sub(r"\1", _IMAGE.sub("", text)))


def _repeats(text: str, instructions: str) -> bool:
    def runs(source: str) -> set[tuple[str, ...]]:
        found = words(source)
        return {tuple(found[start : start + RUN]) for start in range(len(found) - RUN + 1)}

    return not runs(text).isdisjoint(runs(instructions))


def _own(text: str, known: set[str]) -> bool:
    found = words(text)
    return not found or sum(word in known for word in found) >= OWN_WORDS * len(found)
