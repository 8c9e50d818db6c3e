"""What may be said of an event's objects, and how certain it is.

A camera at dusk makes a white truck grey, and from afar a cyclist is somebody on foot. Whoever saw the thing says how
likely each name is (`SeenObject.classes`, `SeenObject.colours`); a search for any plausible name finds it, the certain
ones first, and tells the certain from the possible.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from matpho_contracts.events import Event, SeenObject
from matpho_contracts.vocabulary import Colour
from matpho_embeddings.index.contract import attribute

LEAST_CERTAINTY = 0.05
"""What is less certain is not worth finding."""
STEPS = 10
"""Certainty is told in tenths: within a tenth the newest comes first."""


def attributes_of(event: Event) -> dict[str, float]:
    """Every attribute that an object of the event may have, with the certainty 0..1 of the likeliest such object."""
    found: dict[str, float] = {}
    for seen in event.data.objects:
        for name, certainty in _of_object(seen):
            if certainty >= LEAST_CERTAINTY:
                rounded = math.ceil(round(certainty * STEPS, 6)) / STEPS
                found[name] = max(found.get(name, 0.0), rounded)
    return found


def sure_attributes(event: Event) -> tuple[str, ...]:
    """The attributes by the names that whoever saw the objects settled on."""
    found: dict[str, None] = {}
    for seen in event.data.objects:
        found[attribute(seen.label)] = None
        if seen.colour is not None:
            found[attribute(colour=seen.colour)] = found[attribute(seen.label, seen.colour)] = None
    return tuple(found)


def asked_attributes(labels: Sequence[str], colours: Sequence[Colour]) -> tuple[str, ...]:
    """The attributes that fit a question for any of the classes in any of the colours; none for no question."""
    if labels and colours:
        return tuple(attribute(label, colour) for label in labels for colour in colours)
    return tuple(attribute(label) for label in labels) + tuple(attribute(colour=colour) for colour in colours)


def _of_object(seen: SeenObject) -> Iterator[tuple[str, float]]:
    classes: Mapping[str, float] = seen.classes or {seen.label: 1.0}
    colours: Mapping[Colour, float] = seen.colours or ({seen.colour: 1.0} if seen.colour is not None else {})
    for label, share in classes.items():
        yield attribute(label), seen.confidence * share
        for colour, likely in colours.items():
            yield attribute(label, colour), seen.confidence * share * likely
    for colour, likely in colours.items():
        yield attribute(colour=colour), seen.confidence * likely
