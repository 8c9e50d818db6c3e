"""The uplink: events up until the center has them, a heartbeat, the center's commands down; the box always calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from pydantic import SecretStr

from matpho_contracts.edge_api import IntakeAnswer, StatusReport
from matpho_contracts.errors import MatphoError, UnavailableError
from matpho_contracts.signing import SigningKey, sign_batch
from matpho_contracts.times import now
from matpho_contracts.wire import encode_batch
from matpho_edge.outbox import Outbox, Waiting
from matpho_edge.uplink_backoff import Backoff
from matpho_edge.uplink_commands import CommandHandler, CommandRunner
from matpho_edge.uplink_link import CenterLink, NotAcceptedError, RefusedError

MAX_BATCH_EVENTS = 100
MAX_BATCH_BYTES = 12 * 1024 * 1024
"""Raw bytes of one upload; base64 makes a third more of the stills, well under the wire's limit."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the box calls, in seconds."""

    poll_s: float = 0.5
    """Between looks into an empty outbox (other processes may fill it)."""
    heartbeat_s: float = 10.0
    command_wait_s: int = 25
    shortest_wait_s: float = 1.0
    longest_wait_s: float = 60.0


@dataclass(slots=True)
class UplinkCounts:
    """What has become of events, since the start."""

    stored: int = 0
    repeats: int = 0
    rejected: int = 0
    batches: int = 0
    failures: int = 0
    last_success: datetime | None = None
    last_error: str = ""


class Uplink:
    """Runs until cancelled. Nothing leaves the outbox before the center has acknowledged or refused it by name."""

    def __init__(
        self,
        link: CenterLink,
        outbox: Outbox,
        key: SigningKey,
        *,
        status: Callable[[], StatusReport] | None = None,
        handler: CommandHandler | None = None,
        enrol_token: SecretStr | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.counts = UplinkCounts()
        self._link, self._outbox, self._key = link, outbox, key
        self._status, self._handler, self._token = status, handler, enrol_token
        self._pace = pace or Pace()
        self._limit = MAX_BATCH_EVENTS
        self._enrolled = asyncio.Event()

    async def run(self) -> None:
        """Enrol where needed, then send, report and obey side by side."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._for_ever(self._send_waiting, self._pace.poll_s, "send"))
            if self._status is not None:
                group.create_task(self._for_ever(self._report, self._pace.heartbeat_s, "report"))
            if self._handler is not None:
                runner = CommandRunner(self._link, self._handler)
                group.create_task(self._obey(runner, group))
            await self._for_ever_enrol()

    async def drain(self, *, give_up_after: int = 5) -> int:
        """Send all that waits now and return how many events went; UnavailableError after so many failures in a row."""
        await self._enrol()
        sent, failures, backoff = 0, 0, self._backoff()
        while True:
            try:
                done = await self._send_batch()
                if done == 0:
                    return sent
                sent, failures = sent + done, 0
            except UnavailableError:
                failures += 1
                if failures >= give_up_after:
                    raise
                await asyncio.sleep(backoff.next())

    async def _for_ever_enrol(self) -> None:
        backoff = self._backoff()
        while not self._enrolled.is_set():
            try:
                await self._enrol()
            except MatphoError as error:
                self._note_failure("enrol", error)
                await asyncio.sleep(backoff.next())

    async def _enrol(self) -> None:
        """Enrol once with the token of the settings; a box without a token is taken to be enrolled by hand."""
        note = f"enrolled:{self._link.url}:{self._key.public.key_id}"
        if self._token is not None and await asyncio.to_thread(self._outbox.note, note) is None:
            await self._link.enrol(self._token)
            await asyncio.to_thread(self._outbox.set_note, note, now().isoformat())
            _log.info("enrolled", center=self._link.url)
        self._enrolled.set()

    async def _for_ever(self, action: Callable[[], Awaitable[None]], pause_s: float, name: str) -> None:
        """Repeat with a pause; after a failure with a growing one. Only cancelling ends it."""
        await self._enrolled.wait()
        backoff = self._backoff()
        while True:
            try:
                await action()
                backoff.reset()
                wait = pause_s
            except MatphoError as error:
                self._note_failure(name, error)
                wait = backoff.next()
            await asyncio.sleep(wait)

    async def _send_waiting(self) -> None:
        while await self._send_batch():
            pass

    async def _send_batch(self) -> int:
        """One upload; returns how many events left the outbox, 0 when none waits."""
        taken = await asyncio.to_thread(self._outbox.take, self._limit, MAX_BATCH_BYTES)
        if not taken:
            return 0
        body = await asyncio.to_thread(self._encode, taken)
        try:
            answer = await self._link.send_batch(body)
        except RefusedError as error:
            return await self._narrow(taken, error)
        acknowledged, refused = _sort_results(taken, answer)
        await asyncio.to_thread(self._outbox.settle, acknowledged, refused)
        self._count(answer, refused)
        self._limit = min(MAX_BATCH_EVENTS, self._limit * 2)
        return len(taken)

    def _encode(self, taken: Sequence[Waiting]) -> bytes:
        events = [waiting.raw for waiting in taken]
        header = sign_batch(
            events,
            self._key,
            edge_id=self._link.edge_id,
            incarnation=self._outbox.incarnation,
            signed_at=now(),
        )
        stills = {w.still_sha256: w.still for w in taken if w.still_sha256 is not None and w.still is not None}
        return encode_batch(header, events, stills)

    async def _narrow(self, taken: Sequence[Waiting], error: RefusedError) -> int:
        """The center refuses a batch as a whole: halve it until the one bad event is alone, and set that aside."""
        if len(taken) > 1:
            self._limit = len(taken) // 2
            return await self._send_batch()
        await asyncio.to_thread(self._outbox.settle, [], [(taken[0].seq, error.message)])
        self.counts.rejected += 1
        _log.warning("event set aside", event_id=taken[0].id, reason=error.message[:200])
        return 1

    def _count(self, answer: IntakeAnswer, refused: Sequence[tuple[int, str]]) -> None:
        self.counts.batches += 1
        self.counts.stored += sum(result.status == "stored" for result in answer.results)
        self.counts.repeats += sum(result.status == "repeat" for result in answer.results)
        self.counts.rejected += len(refused)
        self.counts.last_success, self.counts.last_error = now(), ""

    async def _report(self) -> None:
        assert self._status is not None  # noqa: S101 - run() starts this only with a status
        await self._link.report(self._status())

    async def _obey(self, runner: CommandRunner, group: asyncio.TaskGroup) -> None:
        await self._enrolled.wait()
        backoff = self._backoff()
        while True:
            started = now()
            try:
                found = await self._link.commands(self._pace.command_wait_s)
            except MatphoError as error:
                self._note_failure("commands", error)
                await asyncio.sleep(backoff.next())
                continue
            backoff.reset()
            for command in found.commands:
                if runner.is_new(command):
                    group.create_task(runner.run(command))
            # A center that answers at once without waiting shall not be asked in a tight loop.
            if (now() - started).total_seconds() < 0.05:
                await asyncio.sleep(self._pace.poll_s)

    def _note_failure(self, what: str, error: MatphoError) -> None:
        self.counts.failures += 1
        if str(error) != self.counts.last_error:
            level = _log.error if isinstance(error, NotAcceptedError) else _log.warning
            level("uplink waits", what=what, error=str(error)[:300])
        self.counts.last_error = str(error)

    def _backoff(self) -> Backoff:
        return Backoff(self._pace.shortest_wait_s, self._pace.longest_wait_s)


def _sort_results(taken: Sequence[Waiting], answer: IntakeAnswer) -> tuple[list[int], list[tuple[int, str]]]:
    """What may be forgotten and what is set aside; UnavailableError when the answer is not about these events."""
    if [result.id for result in answer.results] != [waiting.id for waiting in taken]:
        raise UnavailableError("The center's answer is about other events than those sent.")
    pairs = list(zip(taken, answer.results, strict=True))
    acknowledged = [waiting.seq for waiting, result in pairs if result.status in ("stored", "repeat")]
    refused = [(waiting.seq, result.reason) for waiting, result in pairs if result.status == "rejected"]
    return acknowledged, refused
