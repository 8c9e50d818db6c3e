"""Which step of a procedure a sentence says is done, in the words of the sentence; the incident's own steps decide."""

from __future__ import annotations

import re

from matpho_agent.language.pieces import quotations
from matpho_agent.planner.clause import Clause

MAX_STEP_WORDS = 10
_DONE_EN = r"(?:done|finished|completed?|complete|over|through|ticked(?: off)?|checked(?: off)?|in hand|sorted)"
_DONE_VI = r"(?:(?:lam )?xong(?: xuoi)?|hoan thanh|hoan tat|da lam|da xong|da duoc|ok(?: roi)?|roi)"
_AFTER = (
    r"(?=\s*(?:[,;:.!?()\n]|$)| (?:da |la |thi |duoc |vua |moi |cung )*" + _DONE_VI + r"(?![0-9a-z])"
    r"| (?:la |thi )?da (?=\w)| (?:cua|cho|trong|o|tai|thuoc) (?:vu|su vu|ca|su viec|\S*\d)| vu (?:viec )?\S*\d"
    r"| (?:da|roi|nha|nhe|di|giup|gium|dum|luon|giup em|nghen)\s*$"
    r"| (?:is|was|has|as|are|been|now) | (?:for|of|on|in|from) (?:the )?(?:\S*\d|incident|case|job|it|that)"
    r"| " + _DONE_EN + r"(?![0-9a-z]))"
)
_VERBS_EN = (
    r"(?:finish(?:ed)?|completed?|complete|mark(?:ed)?|tick(?:ed)?(?: off)?|check(?:ed)?(?: off)?|did|done(?: with)?"
    r"|through(?: with)?|close(?:d)?|note|record|log|set|put)"
)
_PATTERNS = (
    re.compile(r"(?<![0-9a-z])(?:danh dau|tich|tick) (?:la |giup |gium )*da (?P<x>[^,;:!?]{4,60}?)" + _AFTER),
    re.compile(r"(?<![0-9a-z])(?:the )?(?:step|buoc)(?: do| that)? (?:is|la) (?P<x>[^,;:!?]{3,60})"),
    re.compile(rf"(?<![0-9a-z]){_VERBS_EN} (?:off )?(?:the |my |our |your )?(?P<x>[^,;:.!?]+?) step(?![0-9a-z])"),
    re.compile(r"(?:^|[,;:] ?|(?<![0-9a-z])(?:the|that) )(?P<x>(?:[^\s,;:]+ ){0,8}?[^\s,;:]+) step(?![0-9a-z])"),
    re.compile(
        r"(?<![0-9a-z])(?:buoc|khau|cong doan|muc|step)(?: so(?= ?\d)| ten la| no| number)?:? (?P<x>[^,;:!?]+?)"
        + _AFTER
    ),
    re.compile(
        r"(?<![0-9a-z])(?:tick(?:ed)?(?: off)?|check(?:ed)? off|danh dau xong|tich(?: xong)?|danh dau hoan thanh) "
        r"(?:the |muc )?(?P<x>[^,;:!?]+?)" + _AFTER
    ),
)
"""Ways to name a step in bare text, `x` being its name; the surest first."""
_POINTING = frozenset(
    {"that", "this", "it", "do", "nay", "ay", "day", "buoc", "khau", "muc", "step", "do di", "tiep theo", "next", "the"}
    | {"as done", "is", "nao", "mark", "tick", "tick off", "close", "complete", "finish", "last", "first", "final"}
    | {"every"}
)


def step_named(clause: Clause) -> str | None:
    """The step's name or number as typed; None where the words only point at one, or name none."""
    text = clause.free
    quoted = quotations(clause.text, 1)
    if quoted:
        return quoted[0][0]
    for pattern in _PATTERNS:
        for match in pattern.finditer(text.plain):
            name = text.typed[match.start("x") : match.end("x")].strip(" '\"“”‘’:,.;#")
            if name and not _points(match["x"]) and len(name.split()) <= MAX_STEP_WORDS:
                return _without_codes(name, clause)
    return _told_beside(clause)


_POINTED = re.compile(
    r"(?<![0-9a-z])(?:buoc|khau|cong doan|muc) (?:do|nay|ay|day)(?![0-9a-z])"
    r"|(?:that|this) (?:step|one) ?(?:off)?(?![a-z])"
)
_NEWS = re.compile(
    r"^\s*(?:da |vua |moi |ben em |em |anh em )*(?P<x>[^,;:!?]{4,60}?)(?: da)?(?: xong| roi| nhe| nha| a| duoc)*\s*$"
)


def _told_beside(clause: Clause) -> str | None:
    """The news that `bước đó` points back at: `báo kỹ thuật rồi nhé, đánh dấu bước đó giúp em`."""
    plain = clause.free.plain
    pointed = _POINTED.search(plain)
    parts = [match for match in re.finditer(r"[^,;:.]+", plain) if pointed and match.end() <= pointed.start()]
    match = _NEWS.match(plain[parts[-1].start() : parts[-1].end()]) if parts else None
    if match is None or len(match["x"].split()) > MAX_STEP_WORDS:
        return None
    start = parts[-1].start() + match.start("x")
    return _without_codes(clause.free.typed[start : start + len(match["x"])].strip(), clause)


def _points(name: str) -> bool:
    """Whether a name is none: `that`, `tick that`, `xong`, `done`."""
    return all(word in _POINTING for word in name.split()) or name.strip().startswith(("xong", "done", "complete"))


def step_done_bare(clause: Clause) -> str | None:
    """A step named without its word, of the incident spoken of: `xác minh còn cử động xong`."""
    if not (clause.memory.topic == "incident" and clause.memory.incident_id) and not clause.code("incident"):
        return None
    plain = _less_incident(clause)
    match = _BARE.match(plain) if "done" in clause.acts else None
    match = match or (_TOLD.match(plain) if clause.says("đã", "vừa", "mới") and "?" not in plain else None)
    if match is None or clause.acts & _OTHERWISE:
        return None
    words = [word for word in match["x"].split() if word not in _GENERIC]
    if len(words) < MIN_BARE_WORDS or len(match["x"].split()) > MAX_STEP_WORDS:
        return None
    return _without_codes(clause.free.typed[match.start("x") : match.end("x")], clause)


def _less_incident(clause: Clause) -> str:
    """The bare text with the incident's code and its word blanked."""
    plain = clause.free.plain
    for code in clause.codes:
        plain = plain[: code.start] + " " * (code.end - code.start) + plain[code.end :]
    return re.sub(r"(?<![0-9a-z])(?:vu viec|vu|su vu)(?= )", lambda m: " " * len(m[0]), plain)


_BARE = re.compile(
    r"^[\s,:]*(?:da |dang |moi |vua )?(?P<x>[^,;:!?]{6,70}?) (?:da )?"
    r"(?:xong|hoan thanh|hoan tat)(?![0-9a-z])[^,;:?]{0,12}$"
)
_TOLD = re.compile(
    r"^[\s,:]*(?:bao cao |em |toi |ben em |anh em |doi )*(?:da|vua|moi) (?P<x>[^,;:!?]{6,70}?) (?:xong )?roi"
    r"(?: (?:nhe|nha|a|day|do|em|anh|sep|nghe))*[ .!]*$"
)
"""A step told as done: `đã báo PC07 với 115 rồi nhé`."""
_OTHERWISE = frozenset(
    {"close", "reopen", "resolve", "working", "dispatch", "escalate", "ack", "procedure", "progress", "open"}
)
_GENERIC = frozenset(
    {"da", "lam", "xu", "ly", "giai", "quyet", "vu", "viec", "do", "nay", "ay", "day", "no", "anh", "em", "toi", "minh"}
    | {
        "moi",
        "thu",
        "het",
        "tat",
        "ca",
        "ben",
        "doi",
        "to",
        "roi",
        "cung",
        "cai",
        "vua",
        "duoc",
        "dang",
        "hien",
        "truong",
    }
)
MIN_BARE_WORDS = 2


def _without_codes(name: str, clause: Clause) -> str | None:
    """The name less the incident that it was said of: `SV.118 evacuate`."""
    for code in clause.codes:
        name = re.sub(re.escape(code.text), " ", name, flags=re.IGNORECASE)
    return re.sub(r"\s+", " ", re.sub(r"^\s*['’]s ", "", name)).strip(" :,.;-") or None
