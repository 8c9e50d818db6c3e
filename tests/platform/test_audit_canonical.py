"""The log's canonical JSON is RFC 8785, whichever writer makes it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from matpho_platform.audit.canonical import canonical_json

NUMBERS = st.one_of(
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0, 1_000).map(lambda value: round(value, 3)),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(st.characters(exclude_categories=("Cs",)))),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner)
    ),
    max_leaves=30,
)


@settings(max_examples=150)
@given(VALUES)
def test_it_is_what_the_reference_writes(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1.0, b"1"),
        (1e16, b"10000000000000000"),
        (1e21, b"1e+21"),
        (1e-7, b"1e-7"),
        (0.00001, b"0.00001"),
        (-0.0, b"0"),
        ({"\ufb33": 1, "\U0001f600": 2}, '{"\U0001f600":2,"\ufb33":1}'.encode()),
        ({"\u20ac": 1, "b": 2, "a": 3}, '{"a":3,"b":2,"\u20ac":1}'.encode()),
        ("\x7f\x1f\u2028/", b'"\x7f\\u001f\xe2\x80\xa8/"'),
    ],
)
def test_where_writers_differ_it_is_the_standards_way(value: Any, written: bytes) -> None:
    """What a plain writer gets wrong: numbers with exponents, places of keys beyond the basic plane."""
    assert canonical_json(value) == written


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", {1: 2}, {"a": b"bytes"}])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical_json(value)


def test_the_plain_writer_alone_would_not_do() -> None:
    """Why there are two: were it so, the guard against unplain values could go."""
    assert orjson.dumps({"ms": 1.0}) != rfc8785.dumps({"ms": 1.0})
