"""Steps 1 and 2 of the query flow, first half: every word of a clause explained once, by the longest thing that can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matpho_agent.language.clues import given_away
from matpho_agent.language.identifiers import Identifiers, read_identifiers
from matpho_agent.language.lexicon import Lexicon, Match, lexicon_of
from matpho_agent.language.names import NameMatch
from matpho_agent.language.places import PlaceMatch
from matpho_agent.language.senses import Sense, senses, telling
from matpho_agent.language.times import TimeReading, read_time
from matpho_agent.language.tokens import Text, Token
from matpho_agent.language.toponyms import kind_of
from matpho_agent.planner.bare_words import bare_events, parked_not_first, settled
from matpho_agent.planner.situation import Situation

PLACE_CUES = frozenset(
    {"o", "tai", "khu", "phuong", "xa", "quan", "gan", "cho", "cam", "camera", "duong", "pho", "in", "at", "near"}
    | {"vo", "vao", "quanh", "canh", "goc", "khuc", "doan", "nut", "ven", "dien", "beside", "opposite", "along", "past"}
    | {"ward", "around", "truoc", "cong", "on", "bo", "into", "by", "outside", "inside", "behind", "through", "from"}
)
ARTICLES = frozenset({"the", "a", "our", "that", "this", "cai"})
"""Words after which a short name typed without marks may be a place."""


@dataclass(slots=True)
class Reading:
    """A clause with everything found in it; `taken` marks tokens by the category that explains them."""

    text: Text
    time: TimeReading
    identifiers: Identifiers
    matches: list[Match] = field(default_factory=list)
    places: list[PlaceMatch] = field(default_factory=list)
    taken: dict[int, str] = field(default_factory=dict)

    def values(self, category: str) -> list[str]:
        """The values of a category, in the order of the text, each once."""
        return list(dict.fromkeys(match.value for match in self.matches if match.category == category))

    def has(self, category: str) -> bool:
        """Whether a category occurs."""
        return any(match.category == category for match in self.matches)

    def says(self, *plain: str) -> bool:
        """Whether any of the bare words occurs."""
        return any(token.plain in plain for token in self.text.tokens)


def scan(text: Text, situation: Situation, lexicon: Lexicon, names: Sequence[NameMatch] = ()) -> Reading:
    """Find identifiers, times, phrases and places; each word is explained once, `names` (of units, people) first."""
    identifiers = read_identifiers(text, situation.registered, situation.codes)
    named = {number for match in names for number in range(match.start, match.end)}
    candidates = parked_not_first(text.tokens, lexicon.matches(text.tokens, _written_right))
    candidates += [*_bare_colours(text.tokens, candidates), *bare_events(text.tokens, candidates)]
    compared = [match for match in candidates if match.category == "compare"]
    pictured = [match for match in candidates if match.value == "get_snapshot" and match.length > 1 and not match.typo]
    newest = [match for match in candidates if match.category == "ordinal" and match.length > 1]
    newest += [match for match in candidates if match.category == "event" and match.length > 1 and not match.typo]
    places = situation.places.find(text.tokens)
    named_places = [place for place in places if _no_date(place, text.tokens)]
    covered = [(m.start, m.end) for m in (*compared, *pictured, *newest)]
    covered += [(name.start, name.end) for name in names] + [(place.start, place.end) for place in named_places]
    hidden = [(text.tokens[start].start, text.tokens[end - 1].end) for start, end in covered]
    meant = senses(text.tokens)
    hidden += [
        (text.tokens[start].start, text.tokens[end - 1].end)
        for sense in meant
        if sense.category == "compare"
        for start, end in sense.spans
    ]
    time = read_time(_without(text, [*hidden, *identifiers.spans]), situation.now)
    reading = Reading(text, time, identifiers, taken=dict.fromkeys(named, "name"))
    for span in (*identifiers.spans, *time.spans):
        for number, token in enumerate(text.tokens):
            if token.start < span[1] and span[0] < token.end:
                reading.taken[number] = "fixed"
    wanted = _without_plurals(text.tokens, _without_orange_things(text.tokens, candidates))
    _claim(reading, wanted, places)
    _sense(reading, meant)
    _clue(reading)
    return reading


FREE = frozenset({"filler", "object", "negation", "intent", "own", "follow", "reference", "camera_reference"})
"""What the words of a sense may have been taken for before; their own meaning stays."""


def _sense(reading: Reading, meant: Sequence[Sense]) -> None:
    """Add what words mean together, where no phrase has explained them."""
    for sense in meant:
        numbers = [number for start, end in sense.spans for number in range(start, end)]
        held = {reading.taken.get(number) for number in numbers} - {None, *FREE, sense.category}
        if sense.value == "red_light" and held == {"colour"}:
            reading.matches = [m for m in reading.matches if m.category != "colour" or m.start not in numbers]
        elif sense.category == "event" and held and not _at_gate(sense, numbers, reading):
            continue
        if sense.category != "event" and held - {"status", "kind", "owner", "group", "fixed", "ordinal", "event"}:
            continue
        if sense.category == "group" and ("ordinal" in held or _is_time(sense, reading)):
            continue
        if sense.value in CAMERA_SENSES and _of_things(reading, numbers):
            continue
        start, end = sense.spans[0]
        reading.matches.append(Match(start, end, sense.category, sense.value))
        if sense.category in KEEPING:
            for number in numbers:
                reading.taken.setdefault(number, sense.category)
    reading.matches = settled(reading.text.tokens, sorted(reading.matches, key=lambda match: match.start))


def _clue(reading: Reading) -> None:
    """Add the happening that scattered words give away, where nothing in the clause says one."""
    if reading.has("event"):
        return
    free = {n for n in range(len(reading.text.tokens)) if reading.taken.get(n) in (None, *FREE)}
    found = given_away(reading.text.tokens, free)
    if found is None:
        return
    value, spans = found
    reading.matches.append(Match(*spans[0], "event", value))
    for number in (number for start, end in spans for number in range(start, end)):
        reading.taken.setdefault(number, "event")


def _is_time(sense: Sense, reading: Reading) -> bool:
    """Whether the words tell of a time rather than ask for one: `giờ cao điểm sáng nay`."""
    return all(reading.taken.get(number) == "fixed" for start, end in sense.spans for number in range(start, end))


GATES = frozenset({"cong", "truong", "gate", "gates", "school"})


def _at_gate(sense: Sense, numbers: Sequence[int], reading: Reading) -> bool:
    """Whether a jam is one at a gate that a place is named by: `trước cổng trường Lưu Hữu Phước ùn ứ`."""
    held = {reading.taken.get(number) for number in numbers}
    named = {reading.text.tokens[number].plain for number in numbers if reading.taken.get(number) == "place"}
    return held <= {None, *FREE, "event", "place"} and named <= GATES


OF_CAMERAS = frozenset(
    {"camera_offline", "camera_covered", "camera_moved", "image_degraded", "edge_offline", "storage_low", "clock_drift"}
)
"""Events that befall the equipment rather than the street."""
CAMERA_SENSES = frozenset({"list_cameras", "camera_status", "ptz", "fixed", "offline", "online", "degraded"})


def _of_things(reading: Reading, numbers: Sequence[int]) -> bool:
    """Whether a sense about cameras has a thing or an event for one: `xe máy cam nào` is orange, `is fall down`."""
    events = [match for match in reading.matches if match.category == "event" and match.value not in OF_CAMERAS]
    street = {number for match in events for number in range(match.start, match.end)}
    return any(
        reading.taken.get(number) == "object"
        or number in street
        or (reading.text.tokens[number].plain == "cam" and reading.taken.get(number - 1) == "object")
        for number in numbers
    )


KEEPING = frozenset({"event", "group", "compare", "metric", "intent", "kind", "owner", "status"})
"""Categories whose senses explain their words, so that they are no description."""


def _written_right(word: str) -> bool:
    """Whether a word is known elsewhere and therefore no slip of a phrase here."""
    return lexicon_of("act").knows(word) or word in telling()


BARE_COLOURS = {
    "do": "red", "den": "black", "trang": "white", "vang": "yellow", "xanh": "blue+green", "tim": "purple",
    "nau": "brown", "xam": "grey", "ghi": "grey",
}  # fmt: skip
"""Colours typed without marks; only right behind a thing are they colours (`xe van trang`)."""
NO_COLOUR_BEFORE = frozenset(
    {"cho", "truoc", "gan", "tu", "khi", "luc", "o", "rac", "xe", "sai", "trai", "bay", "ngay"}
)
"""Words before which `den` is `đến` and `do` is `đổ` or `đỗ`."""


def _bare_colours(tokens: Sequence[Token], candidates: Sequence[Match]) -> list[Match]:
    """Colours without marks behind the things that candidates name."""
    found = []
    things = {m.end: m.value for m in candidates if m.category == "object" and not m.typo}
    for number, thing in things.items():
        if number >= len(tokens) or not tokens[number].bare or tokens[number].plain not in BARE_COLOURS:
            continue
        word = tokens[number].plain
        after = tokens[number + 1].plain if number + 1 < len(tokens) else ""
        doubtful = word in {"do", "den"} and (
            thing in {"vehicle", "person"} or after in NO_COLOUR_BEFORE or after[:1].isdigit()
        )
        if not doubtful:
            found.append(Match(number, number + 1, "colour", BARE_COLOURS[word]))
    return found


def _no_date(match: PlaceMatch, tokens: Sequence[Token]) -> bool:
    """Whether a whole name of two words or more stands there: the street `3 Tháng 2` is no day, `ngày 3 tháng 2` is."""
    if not match.whole or match.guess or match.end - match.start < 2:
        return False
    return match.start == 0 or tokens[match.start - 1].plain not in {"ngay", "hom", "mung"}


def _without_orange_things(tokens: Sequence[Token], candidates: list[Match]) -> list[Match]:
    """The candidates less those that ask "cam nào" behind a thing: "xe máy cam nào" asks for orange ones."""
    things = {match.end for match in candidates if match.category == "object" and not match.typo}
    return [
        match
        for match in candidates
        if match.category != "intent" or tokens[match.start].plain != "cam" or match.start not in things
    ]


SHOWING = frozenset(
    {"kiem", "tim", "coi", "xem", "dua", "liet", "ke", "loc", "mo", "lay", "chieu", "ngo", "dom", "show", "tra", "ra"}
)
POLITE = frozenset({"cho", "toi", "tui", "em", "anh", "chi", "minh", "giup", "gium", "dum", "ho", "thu", "lai", "luon"})
POINTING = frozenset({"đó", "này", "kia", "ấy", "đấy", "nọ", "nớ"})
OF_WHICH = frozenset({"mau", "bien", "bang", "cua", "la", "chay", "luc", "co"})
"""What is asked of things pointed at: behind them `do` is `đó`."""
MAX_POLITE = 3


def _without_plurals(tokens: Sequence[Token], candidates: list[Match]) -> list[Match]:
    """The candidates less a `mấy` that is a plural and counts nothing: `coi mấy vụ kẹt xe`, `mấy xe đó màu gì`."""
    return [
        match
        for match in candidates
        if match.category != "intent" or tokens[match.start].plain != "may" or not _plural(tokens, match)
    ]


def _plural(tokens: Sequence[Token], match: Match) -> bool:
    after = tokens[match.end].typed.lower() if match.end < len(tokens) else ""
    if after in POINTING:
        return True
    if after == "do" and match.end + 1 < len(tokens) and tokens[match.end + 1].plain in OF_WHICH:
        return True
    before = match.start - 1
    while before >= 0 and match.start - before <= MAX_POLITE and tokens[before].plain in POLITE:
        before -= 1
    return before >= 0 and tokens[before].plain in SHOWING


def _without(text: Text, spans: Sequence[tuple[int, int]]) -> Text:
    """The text with some stretches blanked, offsets unchanged."""
    typed, plain = text.typed, text.plain
    for start, end in spans:
        typed = typed[:start] + "." * (end - start) + typed[end:]
        plain = plain[:start] + "." * (end - start) + plain[end:]
    return Text(typed, plain, text.tokens)


def _claim(reading: Reading, phrases: list[Match], places: list[PlaceMatch]) -> None:
    """Give every word to the longest thing that explains it; exact before guessed, fillers last."""
    offers: list[tuple[tuple[int, int, int], Match | PlaceMatch]] = []
    for match in phrases:
        guess = 1 if match.typo else 0
        rank = 3 if match.category == "filler" else guess
        offers.append(((rank, -match.length, 1), match))
    for place in places:
        if _plausible(reading.text.tokens, place) and not _torn(place, phrases):
            sure = place.whole or _tells_more(place, places) or _of_a_kind(reading.text.tokens, place)
            sure = sure or (_holds_a_name(reading.text.tokens, place, phrases) and not _slip_of_more(place, places))
            rank = 2 if place.guess else 0 if sure else 1
            offers.append(((rank, place.start - place.end, 0), place))
    offers.sort(key=lambda offer: (offer[0], offer[1].start))
    for _rank, offer in offers:
        numbers = range(offer.start, offer.end)
        if any(number in reading.taken for number in numbers):
            continue
        if isinstance(offer, PlaceMatch):
            reading.taken.update(dict.fromkeys(numbers, "place"))
            reading.places.append(offer)
        else:
            reading.taken.update(dict.fromkeys(numbers, offer.category))
            reading.matches.append(offer)
    reading.matches.sort(key=lambda match: match.start)
    reading.places.sort(key=lambda match: match.start)


def _tells_more(part: PlaceMatch, places: Sequence[PlaceMatch]) -> bool:
    """Whether a part of a name holds an area's name and more words: `chợ Hà Đông` is more than the ward Hà Đông."""
    size = part.end - part.start
    return any(
        place.whole
        and place.places[0].kind == "area"
        and part.start <= place.start
        and place.end <= part.end
        and place.end - place.start < size
        for place in places
    )


def _of_a_kind(tokens: Sequence[Token], place: PlaceMatch) -> bool:
    """Whether two words or more say a kind of place: in `bến xe` and `bus station` no vehicle is named."""
    return place.end - place.start > 1 and bool(kind_of(tokens[place.start : place.end]))


def _slip_of_more(part: PlaceMatch, places: Sequence[PlaceMatch]) -> bool:
    """Whether a longer name with a slip holds the part: `chợ Cồn cổng sua`."""
    return any(
        place.guess
        and place.start <= part.start
        and part.end <= place.end
        and place.end - place.start > part.end - part.start
        for place in places
    )


def _holds_a_name(tokens: Sequence[Token], place: PlaceMatch, phrases: Sequence[Match]) -> bool:
    """Whether a part of a name has a word that means nothing else: the `Van` of `Hoang Van Thu` is no vehicle."""
    explained = {number for match in phrases if not match.typo for number in range(match.start, match.end)}
    free = [number for number in range(place.start, place.end) if number not in explained]
    return place.end - place.start > 1 and any(len(tokens[number].plain) > 2 for number in free)


def _torn(place: PlaceMatch, phrases: Sequence[Match]) -> bool:
    """Whether a short part of a name would tear a phrase in two: the `may o` of `xe may o cho` is no factory."""
    if place.whole or place.end - place.start > 2:
        return False
    return any(
        match.length > 1
        and not match.typo
        and match.category in {"object", "event"}
        and (match.start < place.start < match.end < place.end or place.start < match.start < place.end < match.end)
        for match in phrases
    )


def _plausible(tokens: Sequence[Token], match: PlaceMatch) -> bool:
    """A single short word without marks is a place only after a word that announces one, or as a code."""
    if match.end - match.start > 1:
        return True
    token = tokens[match.start]
    if not token.bare or len(token.plain) > 5 or any(place.id.lower() == token.plain for place in match.places):
        return True
    before = [token.plain for token in tokens[max(0, match.start - 2) : match.start]]
    if before and before[-1] in ARTICLES:
        before.pop()
    return bool(before) and before[-1] in PLACE_CUES
