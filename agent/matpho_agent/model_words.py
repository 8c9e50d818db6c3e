"""What a planning model may say, file and set going by itself: no instructions, no links, no report, no act of its own.

These are checks in code. An act is proposed for a model only where the rules read the same act in the person's own
words: somebody who says yes without reading must not have agreed to what they never asked for. A model that breaks one
has failed, and the rules take over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from langchain_core.messages import AIMessage

from matpho_agent.planner.clauses import clauses
from matpho_agent.planner.dialogue import take_step
from matpho_agent.planner.llm import PlannerFailedError
from matpho_agent.planner.plan import Memory
from matpho_agent.planner.situation import Situation
from matpho_contracts.text import words
from matpho_tools.registry import TOOLS

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


def only_wished_acts(message: AIMessage, text: str, situation: Situation, memory: Memory) -> AIMessage:
    """The message, whose acts are all among those that the person's words ask for. Raises PlannerFailedError."""
    acts = {call["name"] for call in message.tool_calls if call["name"] in TOOLS and TOOLS[call["name"]].prepare}
    if acts and not acts <= {take_step(wish, situation, memory).plan.intent for wish in clauses(text)}:
        raise PlannerFailedError("The model wants an act that the person's words do not ask for.")
    return message


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
