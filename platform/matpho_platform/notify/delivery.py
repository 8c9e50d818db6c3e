"""From messages to channels: one worker for each channel, so that a channel that hangs delays no other.

1 claim messages that are due, with those whose claim lapsed because somebody died; commit
2 hand each to the channel with its idempotency key, within the channel's time
3 note what became of all of them, and of their notices; commit
Dying between 2 and 3 hands the message over again, under the same key, once the claim has lapsed: at least once to the
channel, one row here. A message that fails for good sends its notices back to the router, for the next channel.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import RowMapping

from matpho_contracts.errors import MatphoError
from matpho_contracts.times import now, unix_ms
from matpho_platform.notify import repository
from matpho_platform.notify.errors import RefusedError, SendError
from matpho_platform.notify.outgoing import Language, Outgoing, Sender, Taken
from matpho_platform.notify.people import Address, People
from matpho_platform.notify.reading import notice_of
from matpho_platform.notify.rendering import render
from matpho_platform.notify.schemas import State
from matpho_platform.store.engine import Store
from matpho_platform.store.session import WriteSession

POLL_S = 0.5
AT_ONCE = 32
LEASE_MS = 45_000
"""How long a claim holds: longer than any channel may take."""
SEND_S = 25.0
PATIENCE_MS = 12_000
"""How long a message is tried on one channel before the next one has its turn."""
BACKOFF_MS = (500, 1_500, 4_000, 8_000)
DOWN_AFTER = 5
DOWN_MS = 10_000
"""So many failures in a row, and for so long a channel counts as down: its messages go elsewhere at once."""
Picture = Callable[[str], Awaitable[bytes | None]]
Clock = Callable[[], datetime]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    """A claimed message with all that sending it takes."""

    row: RowMapping
    contents: tuple[RowMapping, ...]
    addresses: tuple[Address, ...]
    language: Language


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one try."""

    row: RowMapping
    notices: tuple[str, ...]
    taken: Taken | None = None
    wait_ms: int | None = None
    """When the channel is tried again; None: it is not."""
    error: str = ""
    over: bool = False
    """Nobody needs it any more."""
    dead: tuple[str, ...] = ()
    """Addresses that are nobody's."""


@dataclass(slots=True)
class _Health:
    """How a channel has been lately."""

    failures: int = 0
    down_until_ms: int = 0
    jitter: random.Random = field(default_factory=random.Random)

    def took(self) -> None:
        self.failures = self.down_until_ms = 0

    def failed(self, at_ms: int) -> None:
        self.failures += 1
        if self.failures >= DOWN_AFTER:
            self.down_until_ms = at_ms + DOWN_MS


class Courier:
    """Delivers the messages of one channel."""

    def __init__(
        self,
        store: Store,
        sender: Sender,
        people: People,
        *,
        base: str,
        picture: Picture | None = None,
        failed: Callable[[], None] = lambda: None,
        clock: Clock = now,
        lease_ms: int = LEASE_MS,
    ) -> None:
        """`base` is our own address for links; `failed` is called when notices go back to the router."""
        self._store = store
        self._sender = sender
        self._people = people
        self._base = base
        self._picture = picture
        self._failed = failed
        self._clock = clock
        self._lease_ms = lease_ms
        self._health = _Health()
        self._wake = asyncio.Event()

    @property
    def channel(self) -> str:
        """The channel's name."""
        return self._sender.channel.value

    def wake(self) -> None:
        """There is new work."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._wake.clear()
            if not await self.drain():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_S):
                        await self._wake.wait()

    async def drain(self) -> bool:
        """Deliver what is due, as much as goes at once; whether there was any."""
        at_ms, owner = unix_ms(self._clock()), secrets.token_hex(16)
        async with self._store.reading() as session:
            if not await repository.any_message_due(session, self._sender.channel, at_ms):
                return False
        async with self._store.writing() as session:  # 1
            rows = await repository.claim(
                session, self._sender.channel, at_ms, AT_ONCE, owner=owner, until_ms=at_ms + self._lease_ms
            )
        down = at_ms < self._health.down_until_ms
        jobs = await self._read(rows)
        ended = await asyncio.gather(*(self._one(job, down=down and job is not jobs[0]) for job in jobs))  # 2
        async with self._store.writing() as session:  # 3
            for one in ended:
                await self._note(session, one, owner)
            sent = [notice for one in ended if one.taken is not None for notice in one.notices]
            await repository.reached(session, sent, "reached_ms", unix_ms(self._clock()))
        if any(one.taken is None for one in ended):
            self._failed()
        return bool(rows)

    async def _read(self, rows: Sequence[RowMapping]) -> list[_Job]:
        """What messages tell of, and where their people are now."""
        users = {row["user_id"] for row in rows}
        async with self._store.reading() as session:
            contents = await repository.contents_of(session, [row["message_id"] for row in rows])
            addresses = await self._people.addresses_of(session, users, self._sender.channel)
            reaches = await self._people.reach(session, users)
        return [
            _Job(
                row,
                tuple(one for one in contents if one["message_id"] == row["message_id"]),
                addresses[row["user_id"]],
                reaches[row["user_id"]].preferences.language,
            )
            for row in rows
        ]

    async def _one(self, job: _Job, *, down: bool) -> Ended:
        row, addresses = job.row, job.addresses
        at_ms = unix_ms(self._clock())
        needed = [one for one in job.contents if _needed(one, at_ms)]
        ids = tuple(one["notice_id"] for one in needed)
        if not needed:
            return Ended(row, (), over=True)
        if not addresses:
            return Ended(row, ids, error="no_address")
        if down:
            return Ended(row, ids, error="channel_down")
        notices = [notice_of(one) for one in needed]
        message = render(
            notices,
            job.language,
            key=row["key"],
            token=row["token"],
            base=self._base,
            picture=await self._still(notices[0].facts.event_id if len(notices) == 1 else None),
        )
        return await self._send(row, ids, addresses, message)

    async def _send(
        self, row: RowMapping, ids: tuple[str, ...], addresses: Sequence[Address], message: Outgoing
    ) -> Ended:
        """To every address of the channel (browsers); one that takes it is enough."""
        taken: Taken | None = None
        dead: list[str] = []
        trouble: SendError | None = None
        reason = ""
        for address in addresses:
            try:
                async with asyncio.timeout(SEND_S):
                    taken = await self._sender.send(address.value, message)
            except RefusedError as error:
                reason = error.reason
                dead += [address.address_id] if error.address_dead else []
            except (SendError, TimeoutError) as error:
                trouble = error if isinstance(error, SendError) else SendError("TimeoutError")
                reason = trouble.reason
        at_ms = unix_ms(self._clock())
        if taken is not None or trouble is None:
            self._health.took()
            return Ended(row, ids, taken=taken, error="" if taken else reason, dead=tuple(dead))
        self._health.failed(at_ms)
        return Ended(row, ids, wait_ms=self._wait(row, trouble, at_ms), error=reason, dead=tuple(dead))

    def _wait(self, row: RowMapping, trouble: SendError, at_ms: int) -> int | None:
        """When to try again: what the channel asks, else longer each time, never past our patience."""
        attempt = row["attempts"]
        if attempt >= len(BACKOFF_MS):
            return None
        backoff = BACKOFF_MS[attempt] * self._health.jitter.uniform(0.7, 1.3)
        wait_ms = int(max(backoff, trouble.retry_after_s * 1000))
        tried = row["tried_ms"] if row["tried_ms"] is not None else at_ms
        return wait_ms if at_ms + wait_ms - tried <= PATIENCE_MS else None

    async def _note(self, session: WriteSession, one: Ended, owner: str) -> None:
        row, at_ms = one.row, unix_ms(self._clock())
        values: dict[str, object] = {"attempts": row["attempts"] + 1, "error": one.error[:64], "due_ms": None}
        if one.over:
            values |= {"state": State.ENDED.value, "attempts": row["attempts"]}
        elif one.taken is not None:
            values |= {"state": State.SENT.value, "sent_ms": at_ms, "foreign_id": one.taken.foreign_id[:200] or None}
        elif one.wait_ms is not None:
            values |= {"state": State.PROMISED.value, "due_ms": at_ms + one.wait_ms}
        else:
            values |= {"state": State.FAILED.value}
        for address_id in one.dead:
            await self._people.bury(session, address_id, at_ms)
        if not await repository.settle(session, row["message_id"], owner, values):
            _log.warning("notice_claim_lapsed", channel=self.channel, message=row["message_id"])
            return
        if one.taken is None and not one.over and one.wait_ms is None:
            await repository.change(session, one.notices, {"due_ms": at_ms})
            _log.warning("notice_failed", channel=self.channel, message=row["message_id"], reason=one.error[:64])

    async def _still(self, event_id: str | None) -> bytes | None:
        """The redacted still of an event; a message goes out without it where there is none."""
        if event_id is None or self._picture is None or not self._sender.takes_pictures:
            return None
        try:
            return await self._picture(event_id)
        except MatphoError as error:
            _log.warning("notice_without_picture", event=event_id, code=error.code)
            return None


def _needed(notice: RowMapping, at_ms: int) -> bool:
    """Whether somebody still needs a notice."""
    return notice["ended_ms"] is None and notice["acted_ms"] is None and notice["expires_ms"] > at_ms
