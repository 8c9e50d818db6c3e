"""Sending the log to a security operations centre: it reads the log behind a cursor, so the log itself is the spool.

Syslog has no receipts: a line that was written into a connection may still be lost with it. The cursor on the disk
therefore follows the sending by SETTLE_S seconds, and after a break everything behind the cursor is sent again; a
receiver knows repeats by `externalId`, the entry's place in the log. Troubles of the log itself cannot be read from it:
they go through a spool file of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections import deque
from pathlib import Path

import structlog

from matpho_contracts.errors import ConfigurationError, MatphoError
from matpho_contracts.times import now, to_rfc3339
from matpho_platform.audit import repository
from matpho_platform.audit.soc.formats import syslog
from matpho_platform.audit.soc.settings import SocSettings
from matpho_platform.audit.spool import Spool
from matpho_platform.audit.tiles import replace_file
from matpho_platform.store.engine import Store

SETTLE_S = 5.0
LOOK_EVERY_S = 1.0
CONNECT_S = 15.0
SEND_S = 30.0
BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 20.0)
_AT_ONCE = 256

_log = structlog.get_logger(__name__)


class ReceiverGoneError(MatphoError):
    """The receiver closed the connection or does not take what is sent."""

    code = "soc_receiver"


class SocFeed:
    """One receiver's feed. `run` is its worker."""

    def __init__(self, store: Store, settings: SocSettings, folder: Path, center: str) -> None:
        """`folder` keeps the cursor and the spool."""
        self._store = store
        self._settings = settings
        self._center = center
        self._cursor = folder / "soc.cursor"
        self._spool = Spool(folder / "soc-spool")
        self._safe = self._read_cursor()
        self._unsettled: deque[tuple[float, int]] = deque()
        self.sent = 0

    @property
    def waiting_from(self) -> int:
        """The first entry that the receiver may not have."""
        return self._safe

    def tell(self, action: str, message: str) -> None:
        """Something about the log that the log itself cannot hold; kept on the disk until it is sent."""
        entry = {"action": action, "at": to_rfc3339(now()), "user_id": "", "outcome": "answered", "message": message}
        try:
            self._spool.append(json.dumps(entry).encode())
        except (OSError, MatphoError) as error:
            _log.critical("soc_event_lost", action=action, reason=type(error).__name__)

    async def run(self) -> None:
        """Send until cancelled; a receiver that is away is tried again and again."""
        falls = 0
        while True:
            began = time.monotonic()
            try:
                await self._session()
            except (OSError, TimeoutError, MatphoError, ssl.SSLError) as error:
                if isinstance(error, ConfigurationError):
                    raise
                falls = 0 if time.monotonic() - began > SETTLE_S else falls + 1
                _log.warning("soc_receiver_away", reason=type(error).__name__, waiting_from=self._safe)
            await asyncio.sleep(BACKOFF_S[min(falls, len(BACKOFF_S) - 1)])

    async def _session(self) -> None:
        """One connection: from the cursor on, until it breaks."""
        settings = self._settings
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(
                settings.host, settings.port, ssl=_context(settings), server_hostname=settings.server_name or None
            )
        closed = asyncio.create_task(reader.read(1))  # a syslog receiver says nothing: anything read is the end
        self._unsettled.clear()
        at = self._safe
        try:
            while True:
                await self._send_troubles(writer)
                at, more = await self._send_entries(writer, at)
                await asyncio.to_thread(self._settle)
                await asyncio.wait((closed,), timeout=0 if more else LOOK_EVERY_S)
                if closed.done():
                    raise ReceiverGoneError("The receiver closed the connection.")
        finally:
            closed.cancel()
            writer.close()
            with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError, ssl.SSLError):
                async with asyncio.timeout(1):
                    await asyncio.gather(closed, writer.wait_closed(), return_exceptions=True)

    async def _send_troubles(self, writer: asyncio.StreamWriter) -> None:
        if not self._spool.waiting:
            return
        lines = [
            syslog(json.loads(line), None, self._settings.format, self._center)[1]
            for line in await asyncio.to_thread(self._spool.take)
            if line is not None
        ]
        await self._write(writer, lines)
        await asyncio.to_thread(self._spool.done)

    async def _send_entries(self, writer: asyncio.StreamWriter, at: int) -> tuple[int, bool]:
        async with self._store.reading() as session:
            rows = await repository.entries_from(session, at, _AT_ONCE)
        lines = []
        for row in rows:
            severity, line = syslog(json.loads(row["entry"]), row["log_index"], self._settings.format, self._center)
            if severity >= self._settings.least_severity:
                lines.append(line)
        await self._write(writer, lines)
        if rows:
            at = int(rows[-1]["log_index"]) + 1
            self._unsettled.append((time.monotonic(), at))
        return at, len(rows) == _AT_ONCE

    async def _write(self, writer: asyncio.StreamWriter, lines: list[bytes]) -> None:
        if not lines:
            return
        writer.write(b"".join(lines))
        async with asyncio.timeout(SEND_S):
            await writer.drain()
        self.sent += len(lines)

    def _settle(self) -> None:
        """Move the cursor behind what was sent SETTLE_S ago over a connection that still stands."""
        moved = False
        while self._unsettled and time.monotonic() - self._unsettled[0][0] >= SETTLE_S:
            self._safe = self._unsettled.popleft()[1]
            moved = True
        if moved:
            replace_file(self._cursor, str(self._safe).encode())

    def _read_cursor(self) -> int:
        try:
            return max(0, int(self._cursor.read_text(encoding="ascii")))
        except (OSError, ValueError):
            return 0


def _context(settings: SocSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer, the receiver's name and chain checked; raises ConfigurationError for files that cannot be."""
    try:
        context = ssl.create_default_context(cafile=str(settings.ca) if settings.ca else None)
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError("The certificates for the security operations centre cannot be read.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
