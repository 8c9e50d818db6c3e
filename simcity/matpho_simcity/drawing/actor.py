"""Something that moves or was left behind: what it looks like and where it is at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_simcity.drawing import heaps, people, vehicles
from matpho_simcity.drawing.mesh import Mesh

_C = Colour
_WEIGHTED: dict[ObjectClass, dict[Colour, int]] = {
    ObjectClass.CAR: {
        _C.WHITE: 4,
        _C.BLACK: 4,
        _C.GREY: 3,
        _C.RED: 3,
        _C.BLUE: 2,
        _C.BROWN: 2,
        _C.YELLOW: 1,
        _C.GREEN: 2,
        _C.ORANGE: 1,
        _C.PURPLE: 1,
    },
    ObjectClass.VAN: {
        _C.WHITE: 4,
        _C.GREY: 2,
        _C.BLUE: 2,
        _C.RED: 2,
        _C.YELLOW: 2,
        _C.BLACK: 2,
        _C.GREEN: 2,
        _C.ORANGE: 1,
        _C.BROWN: 1,
        _C.PURPLE: 1,
    },
    ObjectClass.TRUCK: {
        _C.WHITE: 3,
        _C.BLUE: 3,
        _C.GREEN: 3,
        _C.RED: 2,
        _C.YELLOW: 3,
        _C.ORANGE: 2,
        _C.GREY: 1,
        _C.BROWN: 1,
        _C.BLACK: 1,
    },
    ObjectClass.BUS: {_C.RED: 3, _C.YELLOW: 3, _C.BLUE: 3, _C.GREEN: 3, _C.WHITE: 3, _C.ORANGE: 2, _C.PURPLE: 1},
    ObjectClass.AMBULANCE: {_C.WHITE: 1},
    ObjectClass.FIRE_ENGINE: {_C.RED: 1},
    ObjectClass.FIRE: {_C.ORANGE: 1},
    ObjectClass.SMOKE: {_C.GREY: 3, _C.BLACK: 2, _C.WHITE: 2},
    ObjectClass.RUBBISH: {_C.BLACK: 3, _C.WHITE: 2, _C.BLUE: 2, _C.GREEN: 2, _C.BROWN: 2, _C.GREY: 1, _C.YELLOW: 1},
}


@dataclass(frozen=True, slots=True)
class Look:
    """What an actor is: class, main colour (a person's shirt), solid (None for fire and smoke), plate, traits."""

    object_class: ObjectClass
    colour: Colour
    mesh: Mesh | None
    plate: str = ""
    yellow_plate: bool = False
    riders: int = 0
    helmets: bool = True
    child: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An actor at one moment: metres, `heading` in radians clockwise from +y, m/s; `phase` turns with its movement.

    `size` is (width, height) in metres of fire and smoke; `since` the seconds for which they have burnt.
    """

    id: str
    look: Look
    x: float
    y: float
    heading: float = 0.0
    z: float = 0.0
    speed: float = 0.0
    phase: float = 0.0
    action: str = "moving"
    size: tuple[float, float] = (1.0, 1.0)
    since: float = 0.0


def pick_colour(object_class: ObjectClass, rng: Random) -> Colour:
    """A colour that such a thing has in the street."""
    weights = _WEIGHTED.get(object_class)
    if weights is None:
        return rng.choice(list(Colour))
    return rng.choices(list(weights), list(weights.values()))[0]


def plate_number(object_class: ObjectClass, rng: Random) -> str:
    """A licence plate of Vietnamese form: `30A-123.45`, for motorcycles `29-G1 234.56`; empty for what bears none."""
    province = rng.choice((29, 30, 30, 30, 31, 33, 40, 15, 18, 34, 88, 89, 90, 99, 51))
    letter = rng.choice("ABCDEFGHKLMNPSTUVXYZ")
    digits = f"{rng.randint(0, 999):03d}.{rng.randint(0, 99):02d}"
    if object_class is ObjectClass.MOTORCYCLE:
        return f"{province}-{letter}{rng.randint(1, 9)} {digits}"
    if object_class in (
        ObjectClass.PERSON,
        ObjectClass.BICYCLE,
        ObjectClass.BAG,
        ObjectClass.RUBBISH,
        ObjectClass.FIRE,
        ObjectClass.SMOKE,
    ):
        return ""
    kind = {ObjectClass.TRUCK: "C", ObjectClass.BUS: "B"}.get(object_class, letter if letter not in "BC" else "A")
    return f"{province}{kind}-{digits}"


def make_look(
    object_class: ObjectClass,
    rng: Random,
    *,
    colour: Colour | None = None,
    riders: int | None = None,
    child: bool | None = None,
    poncho: bool = False,
) -> Look:
    """A member of the family of `object_class`."""
    paint = colour if colour is not None else pick_colour(object_class, rng)
    plate = plate_number(object_class, rng)
    match object_class:
        case ObjectClass.PERSON:
            young = rng.random() < 0.15 if child is None else child
            return Look(object_class, paint, people.person(paint, rng, child=young), child=young)
        case ObjectClass.MOTORCYCLE:
            seats = rng.choices((1, 2), (7, 3))[0] if riders is None else riders
            helmets = rng.random() < 0.8
            mesh = people.motorcycle(paint, rng, riders=seats, helmets=helmets, poncho=poncho and rng.random() < 0.6)
            return Look(object_class, paint, mesh, plate, riders=seats, helmets=helmets)
        case ObjectClass.BICYCLE:
            seats = 1 if riders is None else riders
            return Look(object_class, paint, people.bicycle(paint, rng, rider=seats > 0), riders=seats)
        case ObjectClass.FIRE | ObjectClass.SMOKE:
            return Look(object_class, paint, None)
        case ObjectClass.BAG:
            return Look(object_class, paint, heaps.bag(paint, rng))
        case ObjectClass.RUBBISH:
            return Look(object_class, paint, heaps.rubbish(paint, rng))
        case _:
            builder = getattr(vehicles, object_class.value)
            yellow = object_class in (ObjectClass.BUS, ObjectClass.TRUCK) and rng.random() < 0.6
            mesh = builder(paint, rng)
            return Look(object_class, paint, mesh, plate, yellow_plate=yellow)
