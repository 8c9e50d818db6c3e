"""Arguments of `move_camera`: a preset, the home position, or turns in degrees (pan + right, tilt + up, zoom + in)."""

from __future__ import annotations

import re
from typing import Any

from matpho_agent.language.tokens import read_text
from matpho_agent.language.toponyms import telling
from matpho_agent.planner.clause import Clause

LITTLE = 5.0
"""Degrees of `một chút`."""
SOME_ZOOM, LITTLE_ZOOM = 0.2, 0.1
"""Shares of the lens's range, for a zoom that nobody measured."""
_DEGREES = re.compile(r"(?P<n>\d{1,3}(?:[.,]\d{1,2})?) ?(?:do\b|°|degrees?|deg\b)")
_BARE = re.compile(r"(?<![0-9a-z\-])(?P<n>\d{1,3})(?![0-9a-z\-/:])")
_TURNS: tuple[tuple[str, str, int], ...] = (
    (r"trai|left|anticlockwise|counterclockwise", "pan", -1),
    (r"phai|right|clockwise", "pan", 1),
    (r"len tren|len|ngang len|ngua len|ngau len|ngang dau|ngang|ngua|up|upwards?|higher", "tilt", 1),
    (r"xuong duoi|xuong|cui|chuc|down|downwards?|lower", "tilt", -1),
)
_UP = re.compile(r"(?<![0-9a-z])(?:len|up|upwards?|ngang|ngua|ngang len)(?![0-9a-z])")
_ZOOM = re.compile(
    r"(?<![0-9a-z])(?:(?P<out>zoom (?:\w+ )?(?:ra|out|xa|nho)|thu nho|thu xa|keo (?:ra )?xa|zoom xa|thu hinh|ra xa)"
    r"|(?P<in>zoom(?: (?:vao|gan|in|lai gan|can canh))?|phong (?:to|gan|lon)|keo (?:lai )?gan|can canh"
    r"|lai gan))(?![0-9a-z])"
)
_WORDS = {
    "mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "lam": 5, "sau": 6, "bay": 7, "tam": 8, "chin": 9,
    "muoi": 10, "chuc": 10, "five": 5, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "ninety": 90,
}  # fmt: skip
_SPOKEN = re.compile(rf"(?<![0-9a-z])(?P<w>(?:(?:{'|'.join(_WORDS)}) ){{1,3}})(?P<u>do\b|degrees?\b)")
_BY = re.compile(
    rf"(?<![0-9a-z])(?P<by>by|another)(?: about)? (?P<w>{'|'.join(_WORDS)})(?! (?:degrees?|do))(?![0-9a-z])"
)
_SHARE = re.compile(r"(?<![0-9a-z])(?P<n>\d{1,3}(?:[.,]\d)?) ?(?P<unit>%|x\b|lan\b|times\b)")
_HOME = re.compile(
    r"(?<![0-9a-z])(?:home|vi tri (?:goc|ban dau|mac dinh|nha|chuan|xuat phat|cu)|goc ban dau|ve (?:nha|goc|cho cu)"
    r"|reset|recent(?:er|re)|(?:ve )?mac dinh|huong (?:goc|mac dinh|ban dau)"
    r"|original position|default (?:position|view)|starting position)(?![0-9a-z])"
)
_LITTLE = re.compile(
    r"(?<![0-9a-z])(?:mot chut|mot ti|chut xiu|xiu|hoi hoi|chut|ti thoi|ti|teo|tip|nhe|a bit|a little|slightly|a tad"
    r"|a touch)(?![0-9a-z])"
)
_PRESET = re.compile(
    r"(?<![0-9a-z])(?:(?:ve|sang|qua|ra|toi|den|vao|to|at|onto|len|chon|goi|chuyen)?(?: the)? ?"
    r"(?:preset|vi tri|goc may|goc nhin|goc|diem dat san|diem|huong)(?: dat san| so| ten| named| called)?"
    r"|huong (?:ve|ra|vao|sang)|nhin (?:ve|ra|vao|sang)|chia (?:ve|vao|sang|ra)|towards?|facing|to face"
    r"|to look at|at|to|ve phia|ve huong"
    r"|ve|sang|qua|ra|vao|toi|den)(?![0-9a-z])(?: phia| huong| the)? ?:? ?[\"“'‘]?(?P<x>[^,;.\"”'’]{2,60})"
)
_TAIL = re.compile(
    r"(?i)\s*\b(?:(?:giúp|giùm|hộ|cho)?\s*(?:tôi|em|mình|anh|chị)?\s*(?:với|nhé|nha|đi|ạ|luôn|ngay|coi|xem"
    r"|giùm|dùm|giúp|hộ|nghen|nghe|được không|please|pls|preset|position|now)|"
    r"(?:giùm|giúp|dùm|hộ|cho) (?:tôi|tui|em|mình|anh|chị|cái)|preset|position|view)\s*$"
)


def move(clause: Clause) -> dict[str, Any]:
    """The one way in which the camera is to move; empty where the clause names none."""
    plain = _figures(measured(clause))
    known = _wide(clause) or known_preset(clause)
    if known and degrees_in(plain) is None:
        return {"preset": known}
    if _HOME.search(plain):
        return {"home": True}
    turned = _turns(plain)
    zoom = _zoom(plain)
    if turned or zoom:
        return {**turned, **zoom}
    preset = _preset(clause)
    if preset:
        return {"preset": _as_known(preset, clause)}
    degrees = degrees_in(plain)
    return {"degrees": degrees} if degrees is not None else {}


def direction(clause: Clause) -> str | None:
    """Where to turn, of a clause that says not how far."""
    for pattern, axis, sign in _TURNS:
        if re.search(rf"(?<![0-9a-z])(?:{pattern})(?![0-9a-z])", clause.free.plain):
            return {("pan", -1): "left", ("pan", 1): "right", ("tilt", 1): "up", ("tilt", -1): "down"}[axis, sign]
    return None


def turn(where: str, degrees: float) -> dict[str, Any]:
    """A direction and its degrees as the argument."""
    axis = "pan" if where in {"left", "right"} else "tilt"
    return {axis: degrees if where in {"right", "up"} else -degrees}


def _turns(plain: str) -> dict[str, Any]:
    """Each direction with the degrees that stand nearest to it."""
    found: dict[str, Any] = {}
    amounts = [(m.start(), float(m["n"].replace(",", "."))) for m in _DEGREES.finditer(plain)]
    if not amounts and not _ZOOM.search(plain):
        amounts = [(m.start(), float(m["n"])) for m in _BARE.finditer(plain) if _by_direction(plain, m)]
    small = _LITTLE.search(plain)
    for pattern, axis, sign in _TURNS:
        match = re.search(rf"(?<![0-9a-z])(?:{pattern})(?![0-9a-z])", plain)
        if match is None or axis in found:
            continue
        if amounts:
            after = match.end()
            found[axis] = sign * min(amounts, key=lambda amount: abs(amount[0] - after))[1]
        elif small:
            found[axis] = sign * LITTLE
    return {axis: int(value) if value == int(value) else value for axis, value in found.items()}


def _by_direction(plain: str, match: re.Match[str]) -> bool:
    """A bare number counts as degrees only right beside a direction: `sang trái 20`."""
    words = "|".join(pattern for pattern, _axis, _sign in _TURNS)
    before = re.search(rf"(?:{words})(?: khoang| chung| tam| by| about)? ?$", plain[: match.start()])
    return before is not None


def _zoom(plain: str) -> dict[str, Any]:
    match = _ZOOM.search(plain)
    if match is None:
        return {}
    measured = _SHARE.search(plain)
    amount = LITTLE_ZOOM if _LITTLE.search(plain) else SOME_ZOOM
    if measured:
        amount = min(1.0, float(measured["n"].replace(",", ".")) / (100 if measured["unit"] == "%" else 10))
    return {"zoom": -amount if match["out"] else amount}


def _figures(plain: str) -> str:
    """The text with numbers in words before `độ` and `degrees`, or behind `by`, as digits: `mười lăm độ`, `by ten`."""

    def figure(match: re.Match[str]) -> str:
        total = 0
        for word in match["w"].split():
            total = total * 10 if word in {"muoi", "chuc"} and 0 < total < 10 else total + _WORDS[word]
        return f"{total} {match['u']}"

    return _SPOKEN.sub(figure, _BY.sub(lambda match: f"{match['by']} {_WORDS[match['w']]} degrees", plain))


def measured(clause: Clause) -> str:
    """The bare text of a clause in which a `đó` is no `độ`: `bữa 18 đó`."""
    plain = clause.free.plain
    for token in clause.free.tokens:
        if token.plain == "do" and not token.bare and token.typed.lower() != "độ":
            plain = plain[: token.start] + " " * (token.end - token.start) + plain[token.end :]
    return _DATED.sub(lambda match: " " * len(match[0]), plain)


_DATED = re.compile(r"(?<![0-9a-z])(?:ngay|hom|bua|mung|sang|trua|chieu|toi|dem|khuya) \d{1,2} do(?![0-9a-z])")


def degrees_in(plain: str) -> float | int | None:
    """The first number of degrees in a bare text."""
    match = _DEGREES.search(_figures(plain))
    if match is None:
        return None
    value = float(match["n"].replace(",", "."))
    return int(value) if value == int(value) else value


def known_preset(clause: Clause) -> str | None:
    """A preset of the camera that the clause names outside the camera's own name."""
    texts = [_without_camera(clause), *([clause.text.plain] if _only_by_preset(clause) else [])]
    for said in texts:
        for name in _known_presets(clause):
            if re.search(rf"(?<![0-9a-z]){re.escape(read_text(name).plain)}(?![0-9a-z])", said):
                return name
    return _preset_in_part(clause)


_PRESET_SAID = re.compile(
    r"(?<![0-9a-z])(?:preset|dat san|goc (?:quay|nhin)|vi tri|saved (?:view|position))(?![0-9a-z])"
)


def names_preset(clause: Clause) -> bool:
    """Whether a preset is spoken of and the clause names one that its camera knows."""
    return _PRESET_SAID.search(clause.text.plain) is not None and known_preset(clause) is not None


def _preset_in_part(clause: Clause) -> str | None:
    """The one preset whose telling words are all said where a preset is spoken of: `the Le Duan preset`."""
    if not _PRESET_SAID.search(clause.text.plain):
        return None
    said = {token.plain for token in clause.text.tokens}
    fit = []
    for name in _known_presets(clause):
        words = {token.plain for token in telling(read_text(name).tokens)}
        if words and words <= said:
            fit.append(name)
    return fit[0] if len(fit) == 1 else None


_WIDE = re.compile(
    r"(?<![0-9a-z])(?:wide(?: angle| view| shot)?|overview|panorama|full view|toan canh|goc rong|bao quat|tong the"
    r")(?![0-9a-z])"
)
WIDE_NAMES = frozenset({"toan canh", "bao quat", "tong the", "goc rong", "wide", "wide view", "overview", "panorama"})


def _wide(clause: Clause) -> str | None:
    """The preset that shows all of a place, in whatever language it is asked for: `its wide preset`."""
    if not _WIDE.search(clause.text.plain):
        return None
    return next((name for name in _known_presets(clause) if read_text(name).plain in WIDE_NAMES), None)


def _as_known(preset: str, clause: Clause) -> str:
    """The one preset of the camera that has all the words said: `sảnh` is its `sảnh ga`."""
    said = {token.marks for token in read_text(preset).tokens}
    fit = [name for name in _known_presets(clause) if said <= {token.marks for token in read_text(name).tokens}]
    return fit[0] if len(fit) == 1 else preset


def _only_by_preset(clause: Clause) -> bool:
    """Whether the camera spoken of has a name in the clause that may be its preset: `zoom vào Trần Thái Tông`."""
    memory, plan = clause.memory, clause.plan
    named = plan.camera_ids or plan.camera_options
    return memory.topic == "camera" and memory.camera_id in named and len(clause.reading.places) == 1


def _preset(clause: Clause) -> str | None:
    """A preset of the camera that is named, else the words behind `preset`, `về vị trí`, `towards`."""
    said = clause.text.plain
    matches = [m for m in _PRESET.finditer(said) if clause.text.typed[m.start("x") : m.end("x")].strip()]
    if not matches:
        return None
    match = min(matches, key=_plainness)
    typed = clause.text.typed[match.start("x") : match.end("x")].strip()
    if any(re.match(rf"(?:phia |ben )?(?:{pattern})(?![0-9a-z])", match["x"]) for pattern, _axis, _sign in _TURNS):
        return None
    while (shorter := _TAIL.sub("", typed).strip()) != typed and shorter:
        typed = shorter
    inside = [place for place in clause.reading.places if place.whole]
    tokens = clause.reading.text.tokens
    if any(
        tokens[p.start].start >= match.start("x") and any(q.kind == "camera" for q in p.places) for p in inside
    ) and (len(clause.plan.camera_ids) == 1 and not re.search(r"preset|vi tri|goc", match[0])):
        return None
    return typed.strip(" '\"“”‘’") or None


def _plainness(match: re.Match[str]) -> tuple[int, int]:
    """`preset X` before `towards X` before a bare `sang X`; the first of each."""
    rank = 0 if re.match(r"(?:\w+ )?(?:the )?(?:preset|vi tri|goc)", match[0]) else 1
    return (rank if rank == 0 or re.match(r"toward|facing|huong|nhin|chia|ve phia", match[0]) else 2, match.start())


def _known_presets(clause: Clause) -> list[str]:
    cameras = clause.plan.camera_ids or clause.plan.camera_options or [clause.memory.camera_id or ""]
    cameras = [clause.memory.camera_id or ""] if _only_by_preset(clause) else cameras
    names = [name for camera in cameras if (place := clause.situation.places.camera(camera)) for name in place.presets]
    return sorted(dict.fromkeys(names), key=len, reverse=True)


def _without_camera(clause: Clause) -> str:
    """The bare text without the words that name the camera, so that its own name is no preset."""
    plain, tokens = clause.text.plain, clause.reading.text.tokens
    for match in clause.reading.places[:1]:
        start, end = tokens[match.start].start, tokens[match.end - 1].end
        plain = plain[:start] + " " * (end - start) + plain[end:]
    return plain
