"""The filters of a search, once as a condition of SQL and once as a filter of the vector index."""

from __future__ import annotations

import math

from sqlalchemy import ColumnElement, and_, false, not_, or_

from matpho_contracts.text import normalise_plate
from matpho_contracts.times import unix_ms
from matpho_embeddings.attributes import asked_attributes
from matpho_embeddings.index.contract import IndexFilter, Near
from matpho_platform.access.principal import Scope
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.events.rows import words_column
from matpho_platform.events.schemas import EventFilter, NearPlace
from matpho_platform.store.tables import events

_NO_PLATE = "-"
"""What no normalised plate holds: a filter without a letter or digit fits nothing."""
_METRES_PER_DEGREE = 111_195.0
"""Of a great circle, on a sphere of 6,371 km."""


def within(scope: Scope) -> ColumnElement[bool]:
    """The scope as a condition; `scope` is expanded already. The only home of this condition for events."""
    if scope.areas is None:
        return and_(True)
    return events.c.area.in_(scope.areas) if scope.areas else false()


def to_sql(where: EventFilter, scope: Scope, areas: AreaTree) -> ColumnElement[bool]:
    """Every filter as one condition on the events table; `scope` is expanded already."""
    conditions = [within(scope)]
    if where.event_types:
        conditions.append(events.c.event_type.in_([kind.value for kind in where.event_types]))
    conditions += _objects(where)
    if where.min_count is not None:
        conditions.append(events.c.object_count >= where.min_count)
    if where.plate is not None:
        conditions.append(_plate(where.plate))
    if where.areas:
        conditions.append(events.c.area.in_(areas.expand(where.areas)))
    if where.camera_ids:
        conditions.append(events.c.camera_id.in_(where.camera_ids))
    if where.time_from is not None:
        conditions.append(events.c.time_ms >= unix_ms(where.time_from))
    if where.time_to is not None:
        conditions.append(events.c.time_ms < unix_ms(where.time_to))
    if where.near is not None:
        conditions.append(_near(where.near))
    if where.severity_min is not None:
        conditions.append(events.c.severity >= where.severity_min.rank)
    return and_(*conditions)


def _objects(where: EventFilter) -> list[ColumnElement[bool]]:
    pairs = [f"{label}:{colour}" for label in where.objects for colour in where.colors]
    conditions = []
    if pairs:
        conditions.append(
            or_(*(events.c.pairs.contains(words_column(frozenset({pair})), autoescape=True) for pair in pairs))
        )
    elif where.objects:
        found = (events.c.labels.contains(words_column(frozenset({label})), autoescape=True) for label in where.objects)
        conditions.append(or_(*found))
    elif where.colors:
        conditions.append(or_(*(events.c.pairs.contains(f":{colour}|", autoescape=True) for colour in where.colors)))
    for label in where.objects_not:
        conditions.append(not_(events.c.labels.contains(words_column(frozenset({label})), autoescape=True)))
    return conditions


def _plate(plate: str) -> ColumnElement[bool]:
    """Whole or part of a plate; something without a letter or digit fits nothing."""
    part = normalise_plate(plate).lower()
    return events.c.plates.contains(part, autoescape=True) if part else false()


def _near(near: NearPlace) -> ColumnElement[bool]:
    """A disc, by flat geometry around its centre: within 100 km the error stays far below a camera's own."""
    per_lon = _METRES_PER_DEGREE * max(math.cos(math.radians(near.lat)), 0.01)
    north = (events.c.lat - near.lat) * _METRES_PER_DEGREE
    east = (events.c.lon - near.lon) * per_lon
    return and_(events.c.lat.is_not(None), north * north + east * east <= near.radius_m**2)


def to_index(where: EventFilter, scope: Scope, areas: AreaTree) -> IndexFilter:
    """Every filter as the index takes it; `scope` is expanded already."""
    return IndexFilter(
        event_types=tuple(kind.value for kind in where.event_types),
        attributes=asked_attributes(where.objects, where.colors),
        sure_not=asked_attributes(where.objects_not, ()),
        camera_ids=where.camera_ids,
        areas=areas.expand(where.areas) if where.areas else (),
        scope_areas=scope.areas,
        time_from_ms=unix_ms(where.time_from) if where.time_from else None,
        time_to_ms=unix_ms(where.time_to) if where.time_to else None,
        severity_min=where.severity_min.rank if where.severity_min else None,
        min_count=where.min_count,
        plate=(normalise_plate(where.plate) or _NO_PLATE) if where.plate is not None else None,
        near=Near(where.near.lat, where.near.lon, where.near.radius_m) if where.near else None,
    )
