"""What may enter the index: limits on points, queries and pages, checked before anything is written or asked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from matpho_contracts.errors import BadInputError
from matpho_contracts.ids import is_event_id
from matpho_embeddings.index.contract import VECTOR_NAMES, IndexFilter, Payload, Point, Query

MAX_POINTS = 20_000
"""Points in one upsert call."""
MAX_PLATES = 64
"""Plates of one point: as many as an event has objects."""
MAX_ATTRIBUTES = 1024
"""Attributes of one point: classes, colours, and pairs of them."""
MAX_NAME_CHARS = 200
MAX_TEXT_CHARS = 8_000
MAX_COUNT = 2**31 - 1
MAX_TIME_MS = 253_402_300_800_000
"""The end of the year 9999."""
MAX_FILTER_VALUES = 100_000
"""Values in one filter tuple: the cameras of a large city."""
MAX_QUERY_WORDS = 64
MAX_LIMIT = 1_000
MAX_WINDOW = 10_000
"""Deepest ranked hit (offset + limit) that can be asked for."""
UNIT_TOLERANCE = 1e-2
"""How far from 1 a vector's length may be: float16 on the wire costs 1e-3."""


def check_vector(name: str, vector: NDArray[np.float32], dim: int) -> None:
    """Raise BadInputError unless this is a finite unit vector of `dim` numbers under a known name."""
    if name not in VECTOR_NAMES:
        raise BadInputError(f"The index has no vector named {name!r:.60}; it has {', '.join(VECTOR_NAMES)}.")
    if not isinstance(vector, np.ndarray) or vector.shape != (dim,):
        shape = getattr(vector, "shape", "no array")
        raise BadInputError(
            f"The {name} vector is {shape}, the index holds ({dim},).", action="Use the encoder it was built with."
        )
    length = float(np.linalg.norm(vector.astype(np.float32, copy=False)))
    if not math.isfinite(length) or abs(length - 1.0) > UNIT_TOLERANCE:
        raise BadInputError(f"The {name} vector holds NaN, infinity or zeros, or is not unit length ({length:.3g}).")


def check_points(points: Sequence[Point], dim: int) -> None:
    """Raise BadInputError for the first point that cannot be stored; nothing was written."""
    if len(points) > MAX_POINTS:
        raise BadInputError(f"{len(points)} points at once are over the limit of {MAX_POINTS}.", action="Send fewer.")
    for point in points:
        check_id(point.id)
        for name, vector in point.vectors.items():
            check_vector(name, vector, dim)
        _check_payload(point.payload)


def check_id(point_id: str) -> None:
    """Raise BadInputError unless the id is a lower-case UUID, as event ids are."""
    if not isinstance(point_id, str) or not is_event_id(point_id):
        raise BadInputError(f"{point_id!r:.60} is no event id.")


def _check_payload(payload: Payload) -> None:
    for field in ("event_type", "camera_id", "area"):
        _check_name(field, getattr(payload, field))
    if payload.zone is not None:
        _check_name("zone", payload.zone)
    for field, most in (("attributes", MAX_ATTRIBUTES), ("sure", MAX_ATTRIBUTES), ("plates", MAX_PLATES)):
        values = getattr(payload, field)
        if len(values) > most:
            raise BadInputError(f"A point with {len(values)} {field} is over the limit of {most}.")
        for value in values:
            _check_name(field, value)
    if not all(0 < certainty <= 1 for certainty in payload.attributes.values()):
        raise BadInputError("How certain an attribute is must be a number above 0 and at most 1.")
    _check_numbers(payload)
    if len(payload.text) > MAX_TEXT_CHARS:
        raise BadInputError(f"A text of {len(payload.text)} characters is over the limit of {MAX_TEXT_CHARS}.")


def _check_numbers(payload: Payload) -> None:
    if not 0 <= payload.time_ms < MAX_TIME_MS:
        raise BadInputError(f"{payload.time_ms} is no time in Unix milliseconds.")
    if not 0 <= payload.severity <= 4 or not 0 <= payload.object_count <= MAX_COUNT:
        raise BadInputError("The severity (0 to 4) or the object count of a point is out of range.")
    if (payload.lat is None) != (payload.lon is None):
        raise BadInputError("A place needs both latitude and longitude.")
    if payload.lat is not None and payload.lon is not None:
        _check_place(payload.lat, payload.lon)


def _check_name(field: str, value: str) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_CHARS:
        raise BadInputError(f"{field} must be text of 1 to {MAX_NAME_CHARS} characters.")


def _check_place(lat: float, lon: float) -> None:
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        raise BadInputError(f"({lat}, {lon}) is no place in WGS 84 degrees.")


def check_filter(where: IndexFilter) -> None:
    """Raise BadInputError for a filter with absurd sizes or numbers that are none."""
    for field in ("event_types", "attributes", "sure", "sure_not", "camera_ids", "areas"):
        _check_values(field, getattr(where, field))
    if where.scope_areas is not None:
        _check_values("scope_areas", where.scope_areas)
    if where.plate is not None:
        _check_name("plate", where.plate)
    if where.near is not None:
        _check_place(where.near.lat, where.near.lon)
        if not (math.isfinite(where.near.radius_m) and where.near.radius_m >= 0):
            raise BadInputError("The radius of a place must be a number of metres, 0 or more.")
    for number in (where.time_from_ms, where.time_to_ms, where.severity_min, where.min_count):
        if number is not None and abs(number) > MAX_TIME_MS:
            raise BadInputError(f"{number} is out of range for a filter.")


def _check_values(field: str, values: tuple[str, ...]) -> None:
    if len(values) > MAX_FILTER_VALUES:
        raise BadInputError(f"{len(values)} values for {field} are over the limit of {MAX_FILTER_VALUES}.")
    for value in values:
        _check_name(field, value)


def check_query(query: Query, where: IndexFilter, limit: int, offset: int, dim: int) -> None:
    """Raise BadInputError unless the search can be carried out as it stands."""
    _check_dense(query.dense, dim)
    _check_values("attributes", query.attributes)
    if len(query.words) > MAX_QUERY_WORDS or any(len(word) > MAX_NAME_CHARS for word in query.words):
        raise BadInputError(f"A question of more than {MAX_QUERY_WORDS} words, or a word too long.")
    if not 0 < limit <= MAX_LIMIT or offset < 0:
        raise BadInputError(f"A page has 1 to {MAX_LIMIT} hits and starts at 0 or later.")
    if (query.dense or query.words or query.attributes) and offset + limit > MAX_WINDOW:
        raise BadInputError(f"Ranked hits end at {MAX_WINDOW}.", action="Narrow the question.")
    check_filter(where)


def _check_dense(dense: Mapping[str, NDArray[np.float32]], dim: int) -> None:
    for name, vector in dense.items():
        check_vector(name, vector, dim)
