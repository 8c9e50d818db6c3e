"""Slowing down who guesses, without locking out who knows.

Wrong tries are counted by address (IPv4, or an IPv6 /64), by the pair of account and address, by account, and by
network (IPv4 /24, IPv6 /48); whoever comes from a device on which the account was signed in to before has a count of
their own that strangers cannot touch. Rules, in this order; each answers with the seconds to wait:

1 a known device: five tries are free, each further one waits twice as long as the last, at most a minute;
2 the pair: five free, then a minute, doubling, at most the window;
3 the address, over all accounts: thirty free, then the same;
4 an account or a network under attack (fifty, a hundred wrong tries in the window): an address that failed before waits
  from its first failure on, doubling, and all such share a try every five seconds; one that never failed is let
  through, one a second, so that a person at a new place gets in while an attack goes on, and each address of the
  attack spends its first try only once.

Counts live in memory, bounded, for each process; a restart forgets them. Known devices are in the database.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

PAIR_TRIES = 5
ADDRESS_TRIES = 30
ACCOUNT_TRIES = 50
NETWORK_TRIES = 100
WINDOW_S = 900.0
DEVICE_WAIT_S = 60.0
"""The longest that the owner's own device waits."""
STRANGER_WAIT_S = 60.0
ATTACK_WAIT_S = 15.0
PACE_S = 1.0
"""Between two first tries of new addresses at an account or network under attack."""
AGAIN_PACE_S = 5.0
"""Between two tries there of addresses that failed before."""
REFUSALS_EVERY_S = 60.0
BUDGET_S = 60.0
_REMEMBERED = 50_000
_KEPT = 128


class TryLimit:
    """Counts of wrong tries, and how long the next one must wait."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, account_tries: int = ACCOUNT_TRIES, closes: bool = False
    ) -> None:
        self._clock = clock
        self._account_tries = account_tries
        self._closes = closes
        self._failed: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._paced: OrderedDict[tuple[str, str], float] = OrderedDict()

    def wait(self, user_id: str, client: str, device: str = "") -> float:
        """Seconds until a try would be taken; 0: now. `device` is one that the account is known on, else empty."""
        if device:  # 1
            return self._backoff((user_id, f"device {device}"), PAIR_TRIES, 1.0, DEVICE_WAIT_S)
        address, network = address_of(client), network_of(client)
        pair, everywhere = (user_id, address), ("", address)
        own = max(
            self._backoff(pair, PAIR_TRIES, STRANGER_WAIT_S, WINDOW_S),  # 2
            self._backoff(everywhere, ADDRESS_TRIES, STRANGER_WAIT_S, WINDOW_S),  # 3
        )
        attacked = [
            key
            for key, most in (((user_id, "strangers"), self._account_tries), (("", network), NETWORK_TRIES))
            if self._recent(key) >= most
        ]
        if own or not attacked:
            return own
        if self._closes and attacked[0][1] == "strangers":
            return WINDOW_S
        if self._recent(everywhere):  # 4
            again = [(name, f"{place} again") for name, place in attacked]
            return self._backoff(everywhere, 1, ATTACK_WAIT_S, WINDOW_S) or self._pace(again, AGAIN_PACE_S)
        return self._pace(attacked, PACE_S)

    def is_new(self, client: str) -> bool:
        """Whether an address has not failed of late."""
        return not self._recent(("", address_of(client)))

    def newly_refused(self, user_id: str) -> bool:
        """Whether to put a refusal on record: once a minute for an account, so that no attack fills the trail."""
        key, at = (user_id, "refused"), self._clock()
        if at < self._paced.get(key, 0.0):
            return False
        self._paced[key] = at + REFUSALS_EVERY_S
        return True

    def failed(self, user_id: str, client: str, device: str = "") -> None:
        """A wrong try."""
        if device:
            self._count((user_id, f"device {device}"))
            return
        address = address_of(client)
        for key in ((user_id, address), ("", address), (user_id, "strangers"), ("", network_of(client))):
            self._count(key)

    def succeeded(self, user_id: str, client: str, device: str = "") -> None:
        """A right try: what this place failed at this account is forgiven."""
        self._failed.pop((user_id, f"device {device}" if device else address_of(client)), None)

    def _backoff(self, key: tuple[str, str], free: int, first_s: float, most_s: float) -> float:
        times = self._times(key)
        if len(times) < free:
            return 0.0
        until = times[-1] + min(most_s, first_s * 2.0 ** min(len(times) - free, 30))
        return max(0.0, until - self._clock())

    def _pace(self, keys: list[tuple[str, str]], every_s: float) -> float:
        at = self._clock()
        wait = max(self._paced.get(key, 0.0) for key in keys) - at
        if wait > 0:
            return wait
        for key in keys:
            self._paced[key] = at + every_s
            self._paced.move_to_end(key)
        while len(self._paced) > _REMEMBERED:
            self._paced.popitem(last=False)
        return 0.0

    def _count(self, key: tuple[str, str]) -> None:
        self._failed.setdefault(key, deque(maxlen=_KEPT)).append(self._clock())
        self._failed.move_to_end(key)
        while len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)

    def _times(self, key: tuple[str, str]) -> list[float]:
        oldest = self._clock() - WINDOW_S
        return [at for at in self._failed.get(key, ()) if at > oldest]

    def _recent(self, key: tuple[str, str]) -> int:
        return len(self._times(key))


class Budget:
    """So many acts a minute for each address, and ten times as many for its network."""

    def __init__(self, acts: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._acts = acts
        self._clock = clock
        self._done: OrderedDict[str, deque[float]] = OrderedDict()

    def spend(self, client: str) -> float:
        """Take one act: 0, or the seconds until one is left again."""
        at = self._clock()
        places = ((address_of(client), self._acts), (network_of(client), self._acts * 10))
        waits = [self._done[place][0] + BUDGET_S - at for place, most in places if self._full(place, most)]
        if waits and max(waits) > 0:
            return max(waits)
        for place, most in places:
            self._done.setdefault(place, deque(maxlen=most)).append(at)
            self._done.move_to_end(place)
        while len(self._done) > _REMEMBERED:
            self._done.popitem(last=False)
        return 0.0

    def _full(self, place: str, most: int) -> bool:
        return len(self._done.get(place, ())) >= most


def address_of(client: str) -> str:
    """What counts as one address: an IPv4 address, an IPv6 /64, or the text itself where it is neither."""
    return _prefix(client, 32, 64)


def network_of(client: str) -> str:
    """What counts as one network: an IPv4 /24, an IPv6 /48."""
    return f"network {_prefix(client, 24, 48)}"


def _prefix(client: str, four: int, six: int) -> str:
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client[:64]
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    return str(ipaddress.ip_network((address, four if address.version == 4 else six), strict=False))
