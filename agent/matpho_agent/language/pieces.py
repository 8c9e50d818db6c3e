"""Pieces of free text inside a sentence, found by the words that announce them: a purpose, a reason, a note, a name.

What stands in such a piece is content: it is handed on as it was typed and read for nothing else. The same holds for
what stands between quotation marks, which is somebody else's text.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from matpho_agent.language.tokens import Text

MAX_NAME_WORDS = 12
MIN_QUOTED_WORDS = 4
"""A shorter quotation is a name or a single word, no message."""
_STOP = r"(?=\s*(?:[,;.!?)\n](?:\s|$)|$| [-–—] "
_LABELS = (
    r"| (?:cho |trong |theo )?(?:ho so|hs|case|so ho so)\b| ly do\b| ghi chu\b| muc dich\b"
    r"|(?<!moi)(?<!hien)(?<!thi)(?<!nha)(?<!quang)(?<!cong)(?<!dao) truong\b| can (?:ho|ten|dia|chu|ngay)"
    r"| lay (?:ho|ten|dia|chu|ngay)| fields?\b| het han\b| uu tien\b| with (?:the )?note\b| reason\b| purpose\b"
    r"| expires?\b| until\b))"
)
_END = r"(?=\s*$)"
_REASON_END = r"(?=\s*$|,? (?:kem )?ghi chu\b|,? (?:with (?:the |a )?)?note\b)"
PATTERNS: dict[str, tuple[re.Pattern[str], ...]] = {
    "purpose": (
        re.compile(
            r"(?<![0-9a-z])(?:voi muc dich|muc dich|md|for the purpose of|purpose)(?: la| de| cua viec| is| of"
            r"| thanh| sang| to)* ?:? ?(?P<x>[^,;.]+?)" + _STOP + _LABELS
        ),
        re.compile(
            r"(?<![0-9a-z])(?:de phuc vu|de|nham|phuc vu|in order to) (?P<x>(?!mat|y|do|sau|toi|em|luc|qua|lai"
            r"|vay|the|canh|yen)"
            r"[^,;.]{6,}?)" + _STOP + _LABELS
        ),
        re.compile(
            r"(?<![0-9a-z])for (?:a |an |the )?(?P<x>(?:[a-z]+ ){0,3}"
            r"(?:investigation|proceedings?|prosecution|court|sanctions?|fine|penalty|settlement|enforcement|inquiry"
            r"|enquiry|trial|claim|person|tribunal|prosecutors?))(?![0-9a-z])"
        ),
        re.compile(
            r"(?:[,;:] ?|[0-9] )(?P<x>(?:dieu tra|xu phat|xu ly (?:vi pham|hanh chinh|hinh su)|truy to|xet xu|truy tim"
            r"|giai quyet|tim (?:nguoi|kiem|tre)|thi hanh|phong ngua|dau tranh|thanh tra|boi thuong|bao hiem|khoi to"
            r"|truy cuu|xac minh (?:tin bao|to giac|don)|lap bien ban|phuc vu)[^,;.]*?)" + _STOP + _LABELS
        ),
        re.compile(
            r"[,;:] ?(?P<x>(?:[a-z]+ ){1,3}(?:investigation|proceedings?|prosecution|sanctions?|fine|penalty|settlement"
            r"|enforcement|inquiry|enquiry|trial|claim))(?![0-9a-z])"
        ),
    ),
    "reason": (
        re.compile(
            r"(?<![0-9a-z])(?:ly do|reason|on the grounds that|on grounds of)(?: la| is| because| thanh"
            r"| to)? ?[:=]? ?(?P<x>.+?)" + _REASON_END
        ),
        re.compile(
            r"(?<![0-9a-z])(?:boi vi|vi|tai vi|do|because|since) (?P<x>(?!ai\b|sao\b|the nao\b|the ma\b|vay\b"
            r"|do\b).{4,}?)" + _REASON_END
        ),
        re.compile(r"(?<=[0-9a-z]): (?P<x>(?!\S*[0-9])[^\"“].{3,}?)" + _REASON_END),
    ),
    "note": (
        re.compile(
            r"(?<![0-9a-z])(?P<kept>(?:them |bo sung )?ghi chu|(?:add )?(?:a )?note) (?:vao|cho|to|for|on|in|against)"
            r"(?: vu viec| vu| incident| case)? \S*\d\w*(?: la| rang| that)?(?: ?: ?| )(?P<x>.+?)" + _END
        ),
        re.compile(
            r"(?<![0-9a-z])(?:kem ghi chu|ghi chu|kem loi nhan|loi nhan|with (?:the |a )?note(?: saying)?"
            r"|note(?: that)?"
            r"|noi (?:ho|voi ho)(?: la| rang)?|bao ho(?: la| rang)?|dan ho(?: la| rang)?|tell them(?: that"
            r"| to)?)(?: la)? ?:? ?"
            r"(?P<x>.+?)" + _END
        ),
    ),
    "name": (
        re.compile(
            r"(?<![0-9a-z])(?:dat ten la|dat ten|ten la|ten goi|lay ten|goi la|ten|named|called|titled|name it|call it)"
            r" ?:? ?[\"“'‘](?P<x>[^\"”'’]{1,80})[\"”'’]"
        ),
        re.compile(
            r"(?<![0-9a-z])(?:dat ten la|dat ten|ten la|ten goi|lay ten|goi la|(?<!ho )(?<!khong )ten|named"
            r"|called|titled|name it|call it) ?:? ?"
            r"(?P<x>[^,;.\"“'‘]{1,80}?)(?=\s*(?:[,;.]|$| (?:for|when|if|khi|neu|cho|het|den|toi|expires?|notify|bao) ))"
        ),
    ),
    "fields": (
        re.compile(
            r"(?<![0-9a-z])(?:cac truong|truong du lieu|truong thong tin"
            r"|(?<!moi )(?<!hien )(?<!thi )(?<!nha )(?<!quang )(?<!cong )(?<!dao )truong|thong tin can|can biet"
            r"|can lay|chi can|xin|can"
            r"|lay|fields?|need(?: the)?|i need(?: the)?|we need(?: the)?|get(?: the)?|asking for) ?:? ?(?P<x>[^;.]+?)"
            r"(?=\s*(?:[;.](?:\s|$)|$|,? (?:muc dich|ho so|hs|case|ly do|de|for|purpose|vu|trong)\b))"
        ),
    ),
}
"""Ways to announce a piece in bare text; the surest first. `x` is the piece; where `kept` stands, only it is taken."""
_QUOTED = re.compile(r"[\"“„«「『]([^\"”»」』]{1,3500})[\"”»」』]|(?<![^\s:(])[‘']([^’']{2,3500})[’'](?![0-9a-zA-Z])")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Pieces by their name as typed, and the stretches (with the announcing words) that they take."""

    values: dict[str, str] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()


def read_pieces(text: Text, wanted: Collection[str], *, sure: bool = False) -> Pieces:
    """The wanted pieces. With `sure` only those announced by words that mean nothing else (`mục đích`, not `để`)."""
    values: dict[str, str] = {}
    spans: list[Span] = []
    for name in PATTERNS:
        if name not in wanted:
            continue
        for pattern in PATTERNS[name][:1] if sure else PATTERNS[name]:
            match = next((m for m in pattern.finditer(text.plain) if _announces(text, m, spans)), None)
            if match:
                values[name] = text.typed[match.start("x") : match.end("x")].strip(" \"“”'‘’:,.;")
                spans.append((match.start("x"), match.end()) if "kept" in pattern.groupindex else match.span())
                break
    return Pieces({name: value for name, value in values.items() if value}, tuple(spans))


def _announces(text: Text, match: re.Match[str], taken: Collection[Span]) -> bool:
    """Whether a match stands free of others and is none of those that only look alike without marks."""
    return not _inside(match.span(), taken) and not text.typed[match.start() :].lower().startswith("nhầm")


def quotations(text: Text, least: int = MIN_QUOTED_WORDS) -> list[tuple[str, Span]]:
    """What stands between quotation marks and has at least so many words, with its place."""
    found = []
    for match in _QUOTED.finditer(text.typed):
        content = match[1] or match[2] or ""
        if len(content.split()) >= least:
            found.append((content.strip(), match.span()))
    return found


def blanked(text: Text, spans: Collection[Span], filler: str = " ") -> Text:
    """The text with some stretches blanked and their words gone; offsets stay."""
    typed, plain = text.typed, text.plain
    for start, end in spans:
        typed = typed[:start] + filler * (end - start) + typed[end:]
        plain = plain[:start] + filler * (end - start) + plain[end:]
    kept = tuple(token for token in text.tokens if not _inside((token.start, token.end), spans))
    return Text(typed, plain, kept)


def _inside(span: Span, spans: Collection[Span]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in spans)
