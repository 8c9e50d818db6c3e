"""What counts as one place on the network, and a budget of acts for each."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

BUDGET_S = 60.0
_REMEMBERED = 50_000


class Budget:
    """So many acts a minute for each address, and ten times as many for its network; in memory, for each process."""

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
