"""Arguments of the citizens' tools and of questions to the rules: a report's text and place, a code, a question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from matpho_agent.language.lexicon import lexicon_of
from matpho_agent.language.pieces import quotations
from matpho_agent.language.places import PlaceMatch
from matpho_agent.planner.acts import longest
from matpho_agent.planner.clause import Clause
from matpho_contracts.vocabulary import EVENT_TYPES, EventType

MAX_QUERY = 400
MIN_TEXT_WORDS = 3
_ANONYMOUS = re.compile(
    r"(?<![0-9a-z])(?:an danh|giau ten|(?:dung|khong) (?:de )?lo (?:danh tinh|ten)(?: toi| em| tui| minh)?"
    r"|khong (?:neu|de lo|can|ghi|tiet lo|cho biet) (?:ro )?ten(?: toi| em)?|nac danh"
    r"|(?:dung|khong|xin dung|khoi) (?:de|ghi|neu|noi|dua|cho biet|bao|dinh) (?:ten|danh tinh|ho ten)"
    r"(?: toi| em| tui| minh| chau)?"
    r"|giau (?:danh tinh|ho ten)|khong ky ten"
    r"|(?:do not|don't|dont|never) (?:put|use|give|mention|show|share|include|print|record)"
    r" (?:down )?my name"
    r"|no name|leave my name out|name withheld"
    r"|anonymous(?:ly)?|without my name|keep my name out|do not (?:use|give) my name|don't (?:use"
    r"|give) my name)(?![0-9a-z])"
)
_WISH = re.compile(
    r"(?<![0-9a-z])(?:(?:cho )?(?:toi|em|e|t|mk|tui|minh|chau|con|anh|chi|bac)(?: xin| can| dang)? |xin |cho "
    r"|i(?:'d| would)? |we |please |hay )?"
    r"(?:muon |can |xin |like to |want to |need to |wish to )?(?:(?:gui|nhap|lap|tao|vao|ghi nhan|tiep nhan"
    r"|file|submit|send|make|log|enter)"
    r"(?: giup| ho| gium)?(?: toi| em)?(?: mot| a| an| the| this| my)? (?:don |tin )?(?:phan anh|khieu nai"
    r"|kien nghi|gop y|to giac|report|complaint|feedback)"
    r"|phan anh|bao(?: giup| tin| cao)?|trinh bao|to giac|khieu nai|kien nghi|report(?:ing)?(?: that| a problem"
    r"| an issue)?"
    r"|complain)(?: nay| an danh| giau ten| anonymously)*(?: giup| ho| gium| dum)?(?: toi| em| minh| me)?"
    r"(?: voi (?:chinh quyen|phuong|cong an|ubnd|uy ban))?(?: la| rang| ve viec| ve| viec| that| about)?\s*[:,\-–]?\s*"
)
_QUOTER = re.compile(
    r"(?<![0-9a-z])(?:nguoi dan|dan|ba con|cong dan|hang xom|co nguoi|mot nguoi)(?: vua| moi)? (?:nhan|bao"
    r"|phan anh|noi|goi|ke)(?: la| rang| tin)?\s*:?\s*"
)
_OPENING = re.compile(
    r"^\s*(?:(?:da|a|alo|thua|chao|xin chao|hi|hello|hey)(?: em| anh| chi| ban| cac anh| cac chi)?[ ,.!]+)+"
)
_PLEASE = re.compile(
    r"[ ,]+(?:please )?(?:report )?it(?: for me| please)*\s*$|^\s*(?:can|could|would) you (?:please )?"
)
_EDGES = " ,.;:-–—\"“”'‘’()"


def submit(clause: Clause) -> dict[str, Any]:
    """`submit_feedback`: the words of the report less the wish to send it, its kind, its area, whether anonymous."""
    found: dict[str, Any] = {}
    text = _content(clause)
    if len(text.split()) >= MIN_TEXT_WORDS:
        found["text"] = text
    kind = _category(clause)
    if kind:
        found["category"] = kind
    area = _area(clause)
    if area:
        found["area"] = area
    if _ANONYMOUS.search(clause.free.plain):
        found["anonymous"] = True
    return found


def _content(clause: Clause) -> str:
    """The quotation, if there is one; else what is left when the wish itself is taken out."""
    quoted = quotations(clause.text)
    if quoted:
        return max((content for content, _span in quoted), key=len)
    typed, plain = clause.text.typed, clause.text.plain
    for pattern in (_OPENING, _QUOTER, _WISH, _PLEASE, _ANONYMOUS):
        match = pattern.search(plain)
        if match:
            typed = typed[: match.start()] + " " * (match.end() - match.start()) + typed[match.end() :]
            plain = plain[: match.start()] + " " * (match.end() - match.start()) + plain[match.end() :]
    return re.sub(r"\s{2,}", " ", typed).strip(_EDGES)


def _category(clause: Clause) -> str | None:
    """The kind that most words speak for; read in the quotation too, as a report's own words tell what it is about."""
    said = [match.value for match in longest(lexicon_of("category").exact(clause.text.tokens))]
    return max(dict.fromkeys(said), key=said.count, default=None)


def _area(clause: Clause) -> str | None:
    """The area named, or that of the camera's place named; the quotation counts, for it says where it happened."""
    places = [*clause.reading.places, *_quoted_places(clause)]
    for kind in ("area", "camera"):
        for match in places:
            for place in match.places:
                if place.kind == kind and (kind == "camera" or place.area):
                    return place.id if kind == "area" else place.area
    return None


def _quoted_places(clause: Clause) -> list[PlaceMatch]:
    if not clause.quotes:
        return []
    return [match for match in clause.situation.places.find(clause.text.tokens) if match.whole]


def status(clause: Clause) -> dict[str, Any]:
    """`feedback_status`: the tracking code."""
    code = clause.code("report", "")
    return {"code": code} if code else {}


def question(clause: Clause) -> dict[str, Any]:
    """`public_information`: the question as asked."""
    return {"query": clause.free.typed.strip()[:MAX_QUERY]}


def procedures(clause: Clause) -> dict[str, Any]:
    """`list_procedures`: the question, with what was spoken of before where it only points there."""
    query = clause.code("procedure") or clause.free.typed.strip()
    memory = clause.memory
    if not clause.plan.event_types:
        before = memory.plan
        if before is not None and before.intent == "list_procedures":
            query = f"{query} {before.arguments.get('query', '')}"
        elif clause.reading.has("reference"):
            query = f"{query} {_spoken_of(clause)}"
    elif clause.memory.language == "en" and not clause.code("procedure"):
        query = f"{query} ({_kinds(clause.plan.event_types)})"  # the procedures are kept in Vietnamese
    return {"query": query.strip()[:MAX_QUERY]}


def _spoken_of(clause: Clause) -> str:
    """The names of the kinds of event spoken of last."""
    memory = clause.memory
    types = [r.type for r in (*memory.incidents, *memory.results) if r.id in {memory.incident_id, memory.event_id}]
    if not types and memory.plan is not None:
        types = list(memory.plan.event_types)
    return _kinds(types)


def _kinds(types: Sequence[str]) -> str:
    """The names of kinds of event, as the procedures have them."""
    known = [EVENT_TYPES[EventType(name)][2].vi for name in dict.fromkeys(types) if name in set(EventType)]
    return " ".join(known)
