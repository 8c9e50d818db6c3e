"""Passwords in addresses: gone from every value, also from one that cannot be written out to be looked over."""

from __future__ import annotations

from typing import Any

import pytest

from matpho_tools.scrubbing import scrubbed

ADDRESS, SHOWN = "rtsp://admin:mật@10.0.0.5/1", "rtsp://***@10.0.0.5/1"


@pytest.mark.parametrize("beside", [1, 2**70, b"bytes", "\ud800", {1: 2}, None])
def test_an_address_loses_its_password_whatever_stands_beside_it(beside: Any) -> None:
    assert scrubbed({"a": [{"b": ADDRESS}], "c": beside}) == {"a": [{"b": SHOWN}], "c": beside}
    assert scrubbed([beside, ADDRESS])[1] == SHOWN


@pytest.mark.parametrize("value", [{"a": ["x:/ /y", 1.5]}, [2**70, "trạm 5"], "https", {"a": b"bytes"}])
def test_what_holds_no_address_stays(value: Any) -> None:
    assert scrubbed(value) == value
