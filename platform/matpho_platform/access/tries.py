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

Counts are in the database: a restart forgets none, and the centers of a database share them. Accounts and addresses are
there under a keyed hash: what is typed as a user id may be a password. What is older than the window is deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from matpho_contracts.times import now, unix_ms
from matpho_platform.access import try_repository as repository
from matpho_platform.access.keys import AccessKey
from matpho_platform.access.network import address_of, network_of
from matpho_platform.access.sessions import Clock
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError

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
_MOST_DOUBLINGS = 30

_What = tuple[str, str]
"""An account ("": any) and where from, or what else is counted of it."""


@dataclass(frozen=True, slots=True)
class Tries:
    """Wrong tries of one kind within the window: how many, and when the last was, Unix milliseconds."""

    count: int = 0
    last_ms: int = 0

    def wait(self, free: int, first_s: float, most_s: float, at_ms: int) -> float:
        """Seconds until the next: none while tries are free, then twice as long after each, from the last one on."""
        if self.count < free:
            return 0.0
        doubled = min(most_s, first_s * 2.0 ** min(self.count - free, _MOST_DOUBLINGS))
        return max(0.0, min(doubled, (self.last_ms - at_ms) / 1000 + doubled))


class TryLimit:
    """Wrong tries at one door (`name`: passwords, codes), and how long the next one must wait."""

    def __init__(
        self,
        store: Store,
        key: AccessKey,
        name: str,
        clock: Clock = now,
        *,
        account_tries: int = ACCOUNT_TRIES,
        closes: bool = False,
    ) -> None:
        """`closes`: an account under attack is shut to strangers for the window, instead of paced."""
        self._store = store
        self._key = key
        self._door = name
        self._clock = clock
        self._account_tries = account_tries
        self._closes = closes

    async def wait(self, user_id: str, client: str, device: str = "") -> float:
        """Seconds until a try would be taken; 0: now. `device` is one that the account is known on, else empty."""
        at_ms = self._now()
        if device:  # 1
            own = (user_id, f"device {device}")
            return (await self._tries(own))[own].wait(PAIR_TRIES, 1.0, DEVICE_WAIT_S, at_ms)
        pair, everywhere, strangers, network = _of_a_stranger(user_id, client)
        tries = await self._tries(pair, everywhere, strangers, network)
        waits = max(
            tries[pair].wait(PAIR_TRIES, STRANGER_WAIT_S, WINDOW_S, at_ms),  # 2
            tries[everywhere].wait(ADDRESS_TRIES, STRANGER_WAIT_S, WINDOW_S, at_ms),  # 3
        )
        attacked = [
            what
            for what, most in ((strangers, self._account_tries), (network, NETWORK_TRIES))
            if tries[what].count >= most
        ]
        if waits or not attacked:
            return waits
        if self._closes and attacked[0] == strangers:
            return WINDOW_S
        if tries[everywhere].count:  # 4
            again = [(name, f"{place} again") for name, place in attacked]
            own_wait = tries[everywhere].wait(1, ATTACK_WAIT_S, WINDOW_S, at_ms)
            return own_wait or await self._pace(again, AGAIN_PACE_S)
        return await self._pace(attacked, PACE_S)

    async def is_new(self, client: str) -> bool:
        """Whether an address has not failed of late."""
        everywhere = ("", address_of(client))
        return (await self._tries(everywhere))[everywhere].count == 0

    async def newly_refused(self, user_id: str) -> bool:
        """Whether to put a refusal on record: once a minute for an account, so that no attack fills the trail."""
        return await self._pace([(user_id, "refused")], REFUSALS_EVERY_S) == 0

    async def failed(self, user_id: str, client: str, device: str = "") -> None:
        """A wrong try."""
        counted = [(user_id, f"device {device}")] if device else _of_a_stranger(user_id, client)
        at_ms = self._now()
        async with self._store.writing() as session:
            await repository.add(session, [self._name(what) for what in counted], at_ms)
            await repository.forget(session, at_ms - round(WINDOW_S * 1000))

    async def succeeded(self, user_id: str, client: str, device: str = "") -> None:
        """A right try: what this place failed at this account is forgiven."""
        what = (user_id, f"device {device}" if device else address_of(client))
        if (await self._tries(what))[what].count:
            async with self._store.writing() as session:
                await repository.forgive(session, self._name(what))

    async def _tries(self, *several: _What) -> Mapping[_What, Tries]:
        names = {self._name(what): what for what in several}
        oldest = self._now() - round(WINDOW_S * 1000)
        async with self._store.reading() as session:
            found = await repository.counted(session, names, oldest)
        return dict.fromkeys(several, Tries()) | {
            names[name]: Tries(count, last_ms) for name, (count, last_ms) in found.items()
        }

    async def _pace(self, several: Collection[_What], every_s: float) -> float:
        """Take the next turn of all of these: 0, or the seconds until there is one."""
        names, at_ms = [self._name(what) for what in several], self._now()
        async with self._store.reading() as session:
            next_ms = await repository.next_turn(session, names)
        if next_ms > at_ms:
            return min(every_s, (next_ms - at_ms) / 1000)
        try:
            async with self._store.writing() as session:
                next_ms = await repository.next_turn(session, names, lock=True)
                if next_ms > at_ms:  # somebody else took it in between
                    return min(every_s, (next_ms - at_ms) / 1000)
                await repository.take_turn(session, names, at_ms, at_ms + round(every_s * 1000))
        except DuplicateError:  # as well, where it was the first
            return every_s
        return 0.0

    def _now(self) -> int:
        return unix_ms(self._clock())

    def _name(self, what: _What) -> str:
        return self._key.mark("\0".join(("tries", self._door, *what)))


def _of_a_stranger(user_id: str, client: str) -> tuple[_What, _What, _What, _What]:
    """The pair, the address over all accounts, the account, the network."""
    address = address_of(client)
    return (user_id, address), ("", address), (user_id, "strangers"), ("", network_of(client))
