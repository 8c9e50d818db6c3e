"""Whether a session still lives while a stream runs in its name: asked of the database for all streams at once.

A session that ends, or whose account changes in role, areas or rights, ends its streams within `POLL_S` and the time
of one query, in whichever process it was ended; where the database cannot be asked for `BLIND_S`, all of them end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import structlog

from matpho_contracts.errors import MatphoError
from matpho_platform.access.principal import Principal
from matpho_platform.access.sessions import Sessions
from matpho_platform.access.tokens import Tokens, is_token_id

POLL_S = 1.5
BLIND_S = 3.0
_AT_ONCE = 400
"""Ids in one query."""

T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class _Watched:
    principal: Principal
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class SessionWatch:
    """Watches the sessions that have streams open in this process."""

    def __init__(self, sessions: Sessions, tokens: Tokens) -> None:
        self._sessions = sessions
        self._tokens = tokens
        self._watched: set[_Watched] = set()
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, principal: Principal) -> AsyncIterator[asyncio.Event]:
        """While the block runs: an event that is set when the caller's session has ended."""
        watched = _Watched(principal)
        self._watched.add(watched)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll(), name="matpho-session-watch")
        self.wake()
        try:
            yield watched.ended
        finally:
            self._watched.discard(watched)
            if not self._watched and self._task is not None:
                self._task.cancel()
                self._task = None

    def wake(self) -> None:
        """Something was ended here: look at once."""
        self._awake.set()

    async def living(self, ids: Sequence[str]) -> dict[str, Principal]:
        """Those of some sessions and tokens that live, as their accounts are now."""
        of_tokens = [name for name in ids if is_token_id(name)]
        of_sessions = [name for name in ids if not is_token_id(name)]
        found: dict[str, Principal] = {}
        for start in range(0, len(of_sessions), _AT_ONCE):
            found |= await self._sessions.living(of_sessions[start : start + _AT_ONCE])
        for start in range(0, len(of_tokens), _AT_ONCE):
            found |= await self._tokens.living(of_tokens[start : start + _AT_ONCE])
        return found

    async def _poll(self) -> None:
        seen = time.monotonic()
        while True:
            self._awake.clear()
            try:
                await self._look()
                seen = time.monotonic()
            except MatphoError as error:
                _log.warning("sessions_not_seen", reason=str(error))
                if time.monotonic() - seen > BLIND_S:
                    for watched in self._watched:
                        watched.ended.set()
            try:
                await asyncio.wait_for(self._awake.wait(), POLL_S)
            except TimeoutError:
                continue

    async def _look(self) -> None:
        watched = tuple(self._watched)
        living = await self.living(sorted({one.principal.session_id for one in watched}))
        for one in watched:
            if not same_rights(one.principal, living.get(one.principal.session_id)):
                one.ended.set()


def same_rights(then: Principal, today: Principal | None) -> bool:
    """Whether a caller may today what they might then; a second factor shown meanwhile takes nothing away."""
    return today is not None and replace(today, mfa_at=then.mfa_at, name=then.name) == then


class Watching(Protocol):
    """Whoever can watch a session."""

    def watch(self, principal: Principal) -> Any:
        """See SessionWatch.watch."""


async def ending_with_session(stream: AsyncIterator[T], accounts: Watching, principal: Principal) -> AsyncIterator[T]:
    """The items of a stream until it ends or the caller's session does; then what makes the stream is cancelled.

    The stream runs in one task of its own from beginning to end.
    """
    items: asyncio.Queue[tuple[T] | BaseException | None] = asyncio.Queue(1)

    async def pump() -> None:
        try:
            if hasattr(stream, "aclose"):
                async with aclosing(stream):  # type: ignore[type-var]  # asked for one line above
                    async for item in stream:
                        await items.put((item,))
            else:
                async for item in stream:
                    await items.put((item,))
        except Exception as error:
            await items.put(error)
        else:
            await items.put(None)

    async with accounts.watch(principal) as ended:
        pumping = asyncio.create_task(pump())
        stop = asyncio.create_task(ended.wait())
        try:
            while True:
                step = asyncio.create_task(items.get())
                await asyncio.wait({step, stop}, return_when=asyncio.FIRST_COMPLETED)
                if stop.done():
                    step.cancel()
                    return
                item = step.result()
                if item is None:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item[0]
        finally:
            pumping.cancel()
            stop.cancel()
            await asyncio.gather(pumping, stop, return_exceptions=True)
