"""A small grammar that says in Vietnamese and English what a crop or a picture shows, and never what is not so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_simcity import caption_words as words
from matpho_simcity.drawing.atmosphere import Light, Weather
from matpho_simcity.world.scene import Place

PARAPHRASES = 6
_COLOURLESS = frozenset({ObjectClass.FIRE})
_GIVEN = frozenset({ObjectClass.AMBULANCE, ObjectClass.FIRE_ENGINE})
"""Things whose colour goes without saying."""
_RIDDEN = frozenset({ObjectClass.MOTORCYCLE, ObjectClass.BICYCLE})
_VEHICLES = frozenset({ObjectClass.CAR, ObjectClass.VAN, ObjectClass.TRUCK, ObjectClass.BUS}) | _GIVEN | _RIDDEN
CROWD = 6
"""People in one picture from which it shows a crowd."""
_NUMBERS_VI = {2: "hai", 3: "ba", 4: "bốn", 5: "năm"}
_NUMBERS_EN = {2: "two", 3: "three", 4: "four", 5: "five"}


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and when a picture was taken."""

    place: Place
    light: Light
    weather: Weather


@dataclass(frozen=True, slots=True)
class Thing:
    """One object as a caption may tell of it; `ground` is "road", "pavement", "restricted" or ""."""

    object_class: ObjectClass
    colour: Colour
    ground: str = ""
    standing: bool = False
    riders: int = 0
    helmets: bool = True
    child: bool = False


def describe_object(
    thing: Thing, setting: Setting, rng: Random, count: int = PARAPHRASES
) -> tuple[list[str], list[str]]:
    """`count` ways to say what a crop shows, Vietnamese and English; the first is the shortest a person would type."""
    vi, en = [_plain_vi(thing, rng, first=True)], [_plain_en(thing, rng, first=True)]
    for _ in range(count * 4):
        if len(vi) < count:
            _add(vi, _sentence_vi(thing, setting, rng))
        if len(en) < count:
            _add(en, _sentence_en(thing, setting, rng))
    return vi, en


def describe_scene(
    things: list[Thing], setting: Setting, rng: Random, count: int = PARAPHRASES
) -> tuple[list[str], list[str]]:
    """`count` ways to say what a whole picture shows."""
    vi: list[str] = []
    en: list[str] = []
    for _ in range(count * 4):
        if len(vi) < count:
            _add(vi, _scene_vi(things, setting, rng))
        if len(en) < count:
            _add(en, _scene_en(things, setting, rng))
    return vi, en


def _add(said: list[str], sentence: str) -> None:
    if sentence not in said:
        said.append(sentence)


def _colour_vi(thing: Thing, rng: Random) -> str:
    vague = words.VAGUE_VI.get(thing.colour)
    if vague and rng.random() < 0.12:
        return vague
    return rng.choice(words.COLOURS_VI[thing.colour])


def _plain_vi(thing: Thing, rng: Random, *, first: bool = False) -> str:
    """The noun phrase: `xe tải trắng`, `chiếc xe tải màu trắng`, `người mặc áo đỏ`."""
    noun = words.NOUNS_VI[thing.object_class][0] if first else rng.choice(words.NOUNS_VI[thing.object_class])
    colour = words.COLOURS_VI[thing.colour][0] if first else _colour_vi(thing, rng)
    if thing.object_class is ObjectClass.PERSON:
        return _person_vi(thing, noun, colour, rng, first=first)
    if thing.object_class in _COLOURLESS:
        return noun
    if thing.object_class in _GIVEN and (first or rng.random() < 0.7):
        return noun
    if thing.object_class is ObjectClass.RUBBISH and (first or rng.random() < 0.6):
        return noun
    phrase = f"{noun} {colour}" if first or rng.random() < 0.5 else f"{noun} màu {colour}"
    if first or thing.object_class not in _VEHICLES:
        return phrase
    return rng.choice(("", "", "chiếc ", "một chiếc ", "một ")) + phrase


def _person_vi(thing: Thing, noun: str, colour: str, rng: Random, *, first: bool) -> str:
    if thing.child and (first or rng.random() < 0.8):
        noun = "trẻ em" if first else rng.choice(("trẻ em", "em bé", "đứa trẻ", "học sinh", "em nhỏ"))
    if first:
        return f"{noun} mặc áo {colour}"
    phrase = rng.choice(
        (f"{noun} mặc áo {colour}", f"{noun} mặc áo màu {colour}", f"{noun} áo {colour}", f"một {noun} mặc áo {colour}")
    )
    return phrase if rng.random() < 0.85 else noun


def _plain_en(thing: Thing, rng: Random, *, first: bool = False) -> str:
    noun = words.NOUNS_EN[thing.object_class][0] if first else rng.choice(words.NOUNS_EN[thing.object_class])
    colour = words.COLOURS_EN[thing.colour][0] if first else rng.choice(words.COLOURS_EN[thing.colour])
    if thing.object_class is ObjectClass.PERSON:
        if thing.child:
            noun = "child" if first else rng.choice(("child", "kid", "pupil", "schoolchild"))
        own = f"{_article(colour)} {colour}"
        shirts = (f"wearing {own} shirt", f"in {own} top", f"in {colour}", f"dressed in {colour}", f"with {own} shirt")
        return f"{noun} {shirts[0] if first else rng.choice(shirts)}" if first or rng.random() < 0.85 else f"a {noun}"
    if thing.object_class in _COLOURLESS or (thing.object_class in _GIVEN and (first or rng.random() < 0.7)):
        return noun
    if thing.object_class is ObjectClass.RUBBISH and (first or rng.random() < 0.6):
        return noun
    phrase = f"{colour} {noun}"
    return phrase if first or rng.random() < 0.5 else f"{_article(phrase)} {phrase}"


def _article(phrase: str) -> str:
    return "an" if phrase[0] in "aeiou" else "a"


def _doing_vi(thing: Thing, rng: Random) -> str:
    """What it does, or an empty string."""
    if thing.object_class is ObjectClass.PERSON:
        return (
            rng.choice(("đang đứng", "đứng yên", "đứng"))
            if thing.standing
            else rng.choice(("đang đi bộ", "đi bộ", "đang đi"))
        )
    if thing.object_class in _RIDDEN and thing.riders == 0:
        return rng.choice(("đang đỗ", "đậu không có người", "dựng bên đường"))
    if thing.object_class is ObjectClass.MOTORCYCLE and rng.random() < 0.6:
        people = (
            rng.choice(("chở hai người", "chở đôi", "có hai người"))
            if thing.riders == 2
            else rng.choice(("một người đi", "có một người", "đi một mình"))
        )
        if rng.random() < 0.4:
            people += (
                rng.choice((", đội mũ bảo hiểm", " có mũ bảo hiểm")) if thing.helmets else " không đội mũ bảo hiểm"
            )
        return people
    if thing.object_class in _VEHICLES:
        return (
            rng.choice(("đang đỗ", "đang dừng", "đậu", "đứng yên"))
            if thing.standing
            else rng.choice(("đang chạy", "chạy", "đang đi", "lưu thông"))
        )
    if thing.object_class is ObjectClass.SMOKE:
        return rng.choice(("bốc lên", "nghi ngút", "mù mịt", "cuồn cuộn"))
    if thing.object_class is ObjectClass.FIRE:
        return rng.choice(("bùng lên", "đang cháy", "cháy lớn"))
    if thing.object_class is ObjectClass.BAG:
        return rng.choice(("bị bỏ lại", "để lại", "nằm"))
    return rng.choice(("bừa bãi", "vứt", "đổ bừa", "bị đổ trộm", "chất đống"))


def _doing_en(thing: Thing, rng: Random) -> str:
    if thing.object_class is ObjectClass.PERSON:
        return rng.choice(("standing", "standing still")) if thing.standing else rng.choice(("walking", "on foot"))
    if thing.object_class in _RIDDEN and thing.riders == 0:
        return rng.choice(("parked", "without a rider"))
    if thing.object_class is ObjectClass.MOTORCYCLE and rng.random() < 0.6:
        people = "with two people" if thing.riders == 2 else rng.choice(("with one rider", "with a single rider"))
        if rng.random() < 0.4:
            people += (
                " wearing helmets"
                if thing.helmets and thing.riders == 2
                else " wearing a helmet"
                if thing.helmets
                else " without a helmet"
            )
        return people
    if thing.object_class in _VEHICLES:
        return (
            rng.choice(("parked", "stopped", "standing"))
            if thing.standing
            else rng.choice(("driving", "moving", "going along"))
        )
    if thing.object_class is ObjectClass.SMOKE:
        return rng.choice(("rising", "billowing"))
    if thing.object_class is ObjectClass.FIRE:
        return rng.choice(("burning", "blazing"))
    if thing.object_class is ObjectClass.BAG:
        return rng.choice(("left behind", "lying", "abandoned"))
    return rng.choice(("dumped", "lying", "left", "piled up"))


def _where(thing: Thing, setting: Setting, rng: Random) -> tuple[str, str]:
    """A place phrase in both languages: the ground it is on, or the kind of place."""
    if thing.ground and rng.random() < 0.5:
        return rng.choice(words.GROUND_VI[thing.ground]), rng.choice(words.GROUND_EN[thing.ground])
    return rng.choice(words.PLACES_VI[setting.place]), rng.choice(words.PLACES_EN[setting.place])


def _when(setting: Setting, rng: Random) -> tuple[str, str]:
    vi, en = rng.choice(words.LIGHTS_VI[setting.light]), rng.choice(words.LIGHTS_EN[setting.light])
    if setting.weather is not Weather.CLEAR and rng.random() < 0.6:
        vi = (
            f"{rng.choice(words.WEATHERS_VI[setting.weather])} {vi}"
            if rng.random() < 0.6
            else rng.choice(words.WEATHERS_VI[setting.weather])
        )
        en = (
            f"{rng.choice(words.WEATHERS_EN[setting.weather])} {en}"
            if rng.random() < 0.6
            else rng.choice(words.WEATHERS_EN[setting.weather])
        )
    return vi, en


def _shape(rng: Random) -> tuple[bool, bool, bool]:
    """Which of doing, where and when a sentence tells."""
    return rng.choice(
        (
            (False, False, False),
            (True, False, False),
            (False, True, False),
            (True, True, False),
            (False, True, True),
            (True, True, True),
            (False, False, True),
        )
    )


def _sentence_vi(thing: Thing, setting: Setting, rng: Random) -> str:
    doing, where, when = _shape(rng)
    parts = [_plain_vi(thing, rng)]
    if doing and not (thing.object_class is ObjectClass.SMOKE and "bốc lên" in parts[0]):
        parts.append(_doing_vi(thing, rng))
    if where:
        parts.append(_where(thing, setting, rng)[0])
    if when:
        parts.append(_when(setting, rng)[0])
    lead = rng.choice(("", "", "", "", "có ", "hình ảnh "))
    return lead + " ".join(parts)


def _sentence_en(thing: Thing, setting: Setting, rng: Random) -> str:
    doing, where, when = _shape(rng)
    parts = [_plain_en(thing, rng)]
    if doing:
        parts.append(_doing_en(thing, rng))
    if where:
        parts.append(_where(thing, setting, rng)[1])
    if when:
        parts.append(_when(setting, rng)[1])
    return " ".join(parts)


def _groups(things: list[Thing]) -> list[tuple[Thing, int]]:
    """The things of a picture, each kind once with how many there are (by class and colour), the most telling first."""
    counts = Counter((thing.object_class, thing.colour) for thing in things)
    firsts: dict[tuple[ObjectClass, Colour], Thing] = {}
    for thing in things:
        firsts.setdefault((thing.object_class, thing.colour), thing)
    telling = (
        ObjectClass.FIRE,
        ObjectClass.SMOKE,
        ObjectClass.AMBULANCE,
        ObjectClass.FIRE_ENGINE,
        ObjectClass.RUBBISH,
        ObjectClass.BAG,
    )
    return sorted(
        ((firsts[key], number) for key, number in counts.items()), key=lambda item: item[0].object_class not in telling
    )


def _counted_vi(thing: Thing, number: int, rng: Random) -> str:
    if number > 1 and number in _NUMBERS_VI and thing.object_class in _VEHICLES | {ObjectClass.PERSON}:
        return f"{_NUMBERS_VI[number]} {_plain_vi(thing, rng, first=True)}"
    return _plain_vi(thing, rng)


def _counted_en(thing: Thing, number: int, rng: Random) -> str:
    if number > 1 and number in _NUMBERS_EN and thing.object_class in _VEHICLES | {ObjectClass.PERSON}:
        plural, colour = words.PLURALS_EN[thing.object_class], words.COLOURS_EN[thing.colour][0]
        if thing.object_class is ObjectClass.PERSON:
            return f"{_NUMBERS_EN[number]} people in {colour}"
        return (
            f"{_NUMBERS_EN[number]} {plural}"
            if thing.object_class in _GIVEN
            else f"{_NUMBERS_EN[number]} {colour} {plural}"
        )
    return _plain_en(thing, rng)


def _picked(things: list[Thing], rng: Random) -> list[tuple[Thing, int]]:
    groups = _groups(things)
    if not groups:
        return []
    number = rng.choice((1, 1, 2, 3))
    head = groups[:1] if rng.random() < 0.5 else []
    rest = [group for group in groups if group not in head]
    return (head + rng.sample(rest, min(len(rest), number)))[:number]


def _people(things: list[Thing]) -> int:
    return sum(thing.object_class is ObjectClass.PERSON for thing in things)


def _scene_vi(things: list[Thing], setting: Setting, rng: Random) -> str:
    where, when = rng.choice(words.PLACES_VI[setting.place]), _when(setting, rng)[0]
    if _people(things) >= CROWD and rng.random() < 0.45:
        return (
            f"{rng.choice(('đám đông', 'nhiều người tụ tập', 'nhóm đông người', 'tụ tập đông người'))} {where}"
            + rng.choice(("", f" {when}"))
        )
    picked = _picked(things, rng)
    if not picked or rng.random() < 0.15:
        view = rng.choice(("đường phố", "quang cảnh", "cảnh")) + f" {where} {when}"
        return rng.choice((f"{where} {when}", view, f"{when} {where}", f"cảnh {where}"))
    said = rng.choice((" và ", ", ")).join(_counted_vi(thing, number, rng) for thing, number in picked)
    return rng.choice(
        (f"{said} {where}", f"{said} {where} {when}", f"{where} có {said}", f"{when} {where} có {said}", said)
    )


def _scene_en(things: list[Thing], setting: Setting, rng: Random) -> str:
    where, when = rng.choice(words.PLACES_EN[setting.place]), _when(setting, rng)[1]
    if _people(things) >= CROWD and rng.random() < 0.45:
        return (
            f"{rng.choice(('a crowd', 'many people gathered', 'a group of people', 'people gathering'))} {where}"
            + rng.choice(("", f" {when}"))
        )
    picked = _picked(things, rng)
    if not picked or rng.random() < 0.15:
        return rng.choice(
            (
                f"{where} {when}",
                f"a street scene {where} {when}",
                f"view {where}",
                f"traffic camera view {where} {when}",
            )
        )
    said = " and ".join(_counted_en(thing, number, rng) for thing, number in picked)
    return rng.choice((f"{said} {where}", f"{said} {where} {when}", f"{when}, {said} {where}", said))
