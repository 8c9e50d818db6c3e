"""Between spool and log: entries of alerts hidden on the way out, shown and taken once on the way back."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Sequence
from pathlib import Path

from matpho_contracts.errors import UnavailableError
from matpho_contracts.times import from_rfc3339, now, to_rfc3339
from matpho_platform.audit import repository
from matpho_platform.audit.batch import Waiting
from matpho_platform.audit.errors import AuditBrokenError
from matpho_platform.audit.personal import Subjects
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.audit.spool import Spool
from matpho_platform.store.session import WriteSession


class Spooling:
    """Keeps entries in the spool file and brings them back, in order, each once."""

    def __init__(self, path: Path, subjects: Subjects) -> None:
        self._spool = Spool(path)
        self._subjects = subjects

    @property
    def waiting(self) -> bool:
        """Whether entries wait to be taken over."""
        return self._spool.waiting

    async def keep(self, one: Waiting) -> None:
        """Put an entry into the spool; on the disk when this returns. Raises UnavailableError when it cannot be."""
        document = {
            "id": secrets.token_hex(16),
            "at": to_rfc3339(now()),
            "entry": one.entry.canonical().decode(),
            "personal": dict(one.personal),
            "subject": one.subject,
        }
        hidden = self._subjects.hide(json.dumps(document, ensure_ascii=False).encode())
        try:
            await asyncio.to_thread(self._spool.append, hidden)
        except OSError as error:
            raise UnavailableError(
                "Neither the audit log nor its spool can be written.", action="Check the disk."
            ) from error

    async def take(self) -> list[Waiting]:
        """What waits in the spool, in order; a damaged line becomes an entry that says so."""
        return [self._read(line) for line in await asyncio.to_thread(self._spool.take)]

    def _read(self, line: bytes | None) -> Waiting:
        try:
            document = json.loads(self._subjects.show(line or b""))
        except AuditBrokenError:
            name = hashlib.sha256(line or b"").hexdigest()[:32]
            damaged = AuditEntry(user_id="", role="", action="audit_spool", outcome="damaged", channel="spool")
            return Waiting(damaged, None, spool_id=name, spooled_at=now())
        return Waiting(
            AuditEntry.model_validate_json(document["entry"]),
            None,
            document["personal"],
            document["subject"],
            spool_id=document["id"],
            spooled_at=from_rfc3339(document["at"]),
        )

    async def unknown(self, session: WriteSession, group: Sequence[Waiting]) -> list[Waiting]:
        """The group without what the log took over before (a crash came between the commit and `done`)."""
        ids = {one.spool_id for one in group if one.spool_id}
        known = await repository.taken_over(session, ids) if ids else set()
        return [one for one in group if one.spool_id not in known]

    async def done(self) -> None:
        """Everything that `take` gave is committed."""
        await asyncio.to_thread(self._spool.done)
