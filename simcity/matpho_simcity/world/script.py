"""A camera's day: ambient traffic, an incident every minute or two, and the truth about both."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

from matpho_contracts.vocabulary import Colour, EventType, ObjectClass
from matpho_simcity.drawing.actor import Look, Placed, make_look
from matpho_simcity.world.incidents import Director, ExpectedEvent, Incident, Taken, incidents_of, neighbours_of
from matpho_simcity.world.scene import Flood, Place, Scene
from matpho_simcity.world.traffic import CYCLE, Traffic

_LOCAL_CHUNK = 2 * CYCLE
_RISES = 24.0
"""Seconds a flood takes to rise."""
_FLOOD_AHEAD = 13.0
"""Metres in front of the lens at which a flood is best seen."""
_FLOODED_SHARE = 0.5
"""Slots of a rainy day in which the road is flooded."""


@dataclass(frozen=True, slots=True)
class ScriptOptions:
    """`first` seconds until the first incident, `slot` seconds given to each, `density` of the traffic.

    `duration` ends the day after so many seconds and starts it again (None: it goes on for ever, always new).
    """

    first: float = 3.0
    slot: float = 75.0
    density: float = 1.0
    duration: float | None = None
    incidents: bool = True


class Script:
    """What happens in one scene from second 0 on; equal seeds give equal days."""

    def __init__(self, scene: Scene, seed: str, options: ScriptOptions | None = None, *, wet: bool = False) -> None:
        self.scene, self.seed, self.options, self._wet = scene, seed, options or ScriptOptions(), wet
        self._traffic = Traffic(scene, seed, density=self.options.density, wet=wet)
        self._parked = _parked(scene, seed)
        self._slot = lru_cache(maxsize=16)(self._stage)

    def at(self, seconds: float) -> list[Placed]:
        """Everyone and everything that moves or was left, `seconds` after the script began."""
        moment, acting = self._moment(seconds), self.acting(seconds)
        return self._parked + [_aside(placed, acting) for placed in self._traffic.at(moment)] + acting

    def acting(self, seconds: float) -> list[Placed]:
        """Only those who act in incidents and harmless plays."""
        moment = self._moment(seconds)
        return [placed for incident in self._playing(moment) for placed in incident.at(moment)]

    def floods(self, seconds: float) -> list[Flood]:
        """The water on the road `seconds` after the script began: it rises in the rain, and is gone with its slot."""
        moment = self._moment(seconds)
        staged = self._flooding(math.floor(moment / self.options.slot))
        if staged is None:
            return []
        flood, begun = staged
        risen = min(1.0, (moment - begun) / _RISES)
        return [replace(flood, risen=risen)] if risen > 0 else []

    def _flooding(self, number: int) -> tuple[Flood, float] | None:
        """The flood of slot `number` and when it begins to rise; none without rain, and not each time it rains."""
        rng = Random(f"{self.seed}:flood:{number}")
        if not (self._wet and self.options.incidents) or number < 0 or rng.random() > _FLOODED_SHARE:
            return None
        lane = rng.choice(self.scene.lanes)
        x, y, _ = min((lane.at(lane.length * rng.random()) for _ in range(6)), key=lambda at: abs(at[1] - _FLOOD_AHEAD))
        flood = Flood(x, y, lane.width * rng.uniform(0.8, 1.4), rng.uniform(4.0, 9.0), 0.0)
        return flood, number * self.options.slot + rng.uniform(2.0, 8.0)

    def expected(self, start: float, end: float) -> list[ExpectedEvent]:
        """The events that begin in [start, end) seconds, in order of time."""
        options = self.options
        if options.duration is None:
            return sorted(self._events(start, end), key=lambda event: event.start)
        found: list[ExpectedEvent] = []
        for turn in range(math.floor(start / options.duration), math.floor(end / options.duration) + 1):
            shift = turn * options.duration
            for event in self._events(max(0.0, start - shift), min(options.duration, end - shift)):
                found.append(replace(event, start=event.start + shift, end=event.end + shift))
        return sorted(found, key=lambda event: event.start)

    def _moment(self, seconds: float) -> float:
        return seconds % self.options.duration if self.options.duration else seconds

    def _events(self, start: float, end: float) -> Iterator[ExpectedEvent]:
        slot = self.options.slot
        for number in range(max(0, math.floor(start / slot) - 1), math.floor(end / slot) + 1):
            for incident in self._slot(number):
                yield from (event for event in incident.events if start <= event.start < end)
            flooded = self._flooding(number)
            if flooded is not None and start <= (risen := flooded[1] + _RISES / 2) < end:
                flood, over = flooded[0], (number + 1) * slot
                yield ExpectedEvent(EventType.FLOODING, risen, over, (), flood.x, flood.y, "")

    def _playing(self, seconds: float) -> list[Incident]:
        number = math.floor(seconds / self.options.slot)
        return [incident for index in (number - 1, number) if index >= 0 for incident in self._slot(index)]

    def _stage(self, number: int) -> list[Incident]:
        """The incident (and now and then a harmless play) of slot `number`."""
        options = self.options
        if not options.incidents:
            return []
        rng = Random(f"{self.seed}:slot:{number}")
        begin = number * options.slot
        delay = options.first if number == 0 else rng.uniform(2.0, options.slot * 0.2)
        length = options.slot - delay - 1.0
        if options.duration is not None and begin + delay + length > options.duration:
            return []
        kinds = _shuffled(incidents_of(self.scene), self.seed, number)
        staged = [Director(self.scene, rng, f"incident{number}", begin + delay, length).stage(kinds)]
        neighbours = neighbours_of(self.scene)
        if neighbours and rng.random() < 0.6:
            kind = rng.choice(neighbours)
            staged.append(
                Director(self.scene, rng, f"neighbour{number}", begin + delay + rng.uniform(0, 15), length * 0.7).stage(
                    kind
                )
            )
        return staged


def _shuffled(kinds: list[str], seed: str, number: int) -> str:
    """The kind of slot `number`: every kind comes once before any comes again."""
    round_number, index = divmod(number, len(kinds))
    order = list(kinds)
    Random(f"{seed}:round:{round_number}").shuffle(order)
    return order[index]


def _parked(scene: Scene, seed: str) -> list[Placed]:
    """Motorcycles left on the pavement, people waiting for a bus, and whatever else stands there all day."""
    rng = Random(f"{seed}:parked")
    found: list[Placed] = []
    for x, y, heading in scene.parking:
        if rng.random() < 0.6:
            look = make_look(ObjectClass.MOTORCYCLE, rng, riders=0)
            found.append(
                Placed(f"parked{len(found)}", look, x, y, heading + rng.uniform(-0.15, 0.15), action="standing")
            )
    for x, y in scene.spots.get("waiting", []):
        if rng.random() < 0.45:
            found.append(
                Placed(
                    f"waiting{len(found)}",
                    make_look(ObjectClass.PERSON, rng),
                    x,
                    y,
                    rng.uniform(-2.2, -0.8),
                    action="standing",
                )
            )
    return found


def _aside(placed: Placed, acting: list[Placed]) -> Placed:
    """Ambient movers give way sideways to whoever stands or comes in their way."""
    shift = 0.0
    cos, sin = math.cos(placed.heading), math.sin(placed.heading)
    for other in acting:
        if other.look.object_class is ObjectClass.SMOKE:
            continue
        dx, dy = other.x - placed.x, other.y - placed.y
        ahead, right = dx * sin + dy * cos, dx * cos - dy * sin
        room = _half_width(placed.look) + _half_width(other.look) + 0.45
        reach = 13.0 if placed.look.object_class is not ObjectClass.PERSON else 3.0
        if abs(ahead) >= reach or abs(right) >= room:
            continue
        near = 0.5 + 0.5 * math.cos(math.pi * ahead / reach)
        shift += (-1 if right >= 0 else 1) * (room - abs(right)) * min(1.0, near * 1.6)
    if shift == 0.0:
        return placed
    shift = max(-3.2, min(3.2, shift))
    return replace(placed, x=placed.x + shift * cos, y=placed.y - shift * sin)


def _half_width(look: Look) -> float:
    return look.mesh.extent[0] / 2 if look.mesh is not None else 0.8


def event_to_json(event: ExpectedEvent) -> dict[str, Any]:
    """A plain dictionary for JSON."""
    return {**asdict(event), "objects": [asdict(taken) for taken in event.objects]}


def event_from_json(row: dict[str, Any]) -> ExpectedEvent:
    """The event that `event_to_json` wrote."""
    objects = tuple(
        Taken(ObjectClass(o["object_class"]), Colour(o["colour"]), o["actor_id"], o.get("plate", ""))
        for o in row["objects"]
    )
    return ExpectedEvent(EventType(row["type"]), row["start"], row["end"], objects, row["x"], row["y"], row["zone"])


def write_truth(path: Path, script: Script, start: float, end: float, camera_id: str = "") -> int:
    """Write the expected events of [start, end) as JSON lines, each with `camera_id` and the place; gives how many."""
    events = script.expected(start, end)
    place: Place = script.scene.place
    rows = [{"camera_id": camera_id, "place": place.value, **event_to_json(event)} for event in events]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return len(rows)


def read_truth(path: Path) -> list[ExpectedEvent]:
    """The events that `write_truth` wrote."""
    return [event_from_json(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
