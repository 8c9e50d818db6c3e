"""What counts as one place, and how many acts each may begin."""

from __future__ import annotations

import pytest

from matpho_platform.access.network import Budget, address_of, network_of


class Ticks:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize(
    ("one", "other", "same_address", "same_network"),
    [
        ("203.0.113.9", "203.0.113.9", True, True),
        ("203.0.113.9", "203.0.113.10", False, True),
        ("203.0.113.9", "203.0.114.9", False, False),
        ("203.0.113.9", "::ffff:203.0.113.9", True, True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True, True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False, True),
        ("2001:db8:1::1", "2001:db8:2::1", False, False),
        ("fe80::1%eth0", "fe80::2%eth1", True, True),
        ("", "unknown", False, False),
    ],
)
def test_what_counts_as_one_place(one: str, other: str, same_address: bool, same_network: bool) -> None:
    assert (address_of(one) == address_of(other)) is same_address
    assert (network_of(one) == network_of(other)) is same_network


def test_an_address_begins_so_many_ceremonies_a_minute() -> None:
    ticks = Ticks()
    budget = Budget(3, ticks)
    assert [budget.spend("203.0.113.9") for _ in range(3)] == [0, 0, 0]
    assert budget.spend("203.0.113.9") == 60
    assert budget.spend("203.0.113.10") == 0
    for number in range(26):
        assert budget.spend(f"203.0.113.{number + 20}") == 0
    assert budget.spend("203.0.113.99") > 0
    assert budget.spend("198.51.100.7") == 0
    ticks.at += 61
    assert budget.spend("203.0.113.9") == 0
