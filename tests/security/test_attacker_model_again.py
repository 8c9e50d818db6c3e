"""The other half of the 20,000 calls of a model that is the attacker, in another order, on another core."""

from __future__ import annotations

import pytest
from tests.security.attacks import withstood

CALLS = 10_000


@pytest.mark.timeout(900)
def test_ten_thousand_more_calls_of_all_roles() -> None:
    withstood(CALLS, seed=20261122)
