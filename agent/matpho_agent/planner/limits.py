"""How many of the newest are wanted: `top 3`, `the last five crashes`, `5 vụ cháy mới nhất`."""

from __future__ import annotations

import re

from matpho_agent.language.moments import number
from matpho_agent.planner.plan import QueryPlan
from matpho_agent.planner.scan import Reading

MAX_FEW = 50
NO_COUNTS = frozenset({"a", "an", "may", "vai", "few", "couple", "one", "nam", "ba", "tam", "sau", "bay"})
"""Words that count nothing exactly, or are others when typed without marks."""
_COUNT = r"\d{1,2}|[a-z]+"
_LENGTH = r"(?! ?(?:minutes?|mins?|hours?|days?|nights?|weeks?|months?|years?|h|quarter)(?![a-z]))"
_FEW = re.compile(
    rf"(?<![0-9a-z])(?:(?:top|latest|newest|last|most recent|first) (?P<a>{_COUNT}){_LENGTH}"
    rf"|(?P<b>{_COUNT}) (?:most recent|latest|newest)"
    rf"|(?P<c>{_COUNT}) (?:[a-z]+ ){{1,5}}?(?:gan|moi|gan day|moi day) nh[au]t)(?![0-9a-z])"
)


def read_limit(reading: Reading, plan: QueryPlan) -> None:
    """Set how many are wanted, if the words say so; such words point at no row of a list."""
    for match in _FEW.finditer(reading.text.plain):
        said = match["a"] or match["b"] or match["c"]
        count = number(said) if said not in NO_COUNTS else None
        timed = any(start < match.end() and match.start() < end for start, end in reading.time.spans)
        if count and 1 < count <= MAX_FEW and not timed:
            plan.limit = count
            if plan.event is not None and plan.event.ordinal == 0:
                plan.event = None
            return
