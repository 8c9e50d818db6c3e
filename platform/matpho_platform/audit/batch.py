"""One commit of the log: waiting entries become rows, leaves, sealed values and signed heads in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from matpho_contracts import merkle
from matpho_contracts.times import from_rfc3339, now, to_rfc3339, unix_ms
from matpho_platform.audit import repository
from matpho_platform.audit.personal import Subjects, SubjectSecret, main_subject, owners, subject_of
from matpho_platform.audit.schemas import AuditEntry
from matpho_platform.audit.tree import Frontier
from matpho_platform.store.session import WriteSession

MAX_ENTRY_BYTES = 60_000
"""An entry bundle gives each entry two bytes of length; arguments that do not fit are left out, and that is said."""


@dataclass(slots=True, eq=False)
class Waiting:
    """An entry on its way into the log."""

    entry: AuditEntry
    done: asyncio.Future[int] | None
    personal: Mapping[str, str] = field(default_factory=dict)
    subject: str | None = None
    spool_id: str = ""
    spooled_at: datetime | None = None

    def owners(self) -> dict[str, str]:
        """The subject of each personal value."""
        return owners(self.personal, self.entry.user_id, self.subject)

    def main(self) -> str | None:
        """The subject that the entry as a whole is about."""
        return subject_of(self.subject) if self.subject else main_subject(self.owners().values())


Signer = Callable[[Frontier], dict[str, Any]]
"""Makes the signed checkpoint row of a tree."""


@dataclass(slots=True)
class Batch:
    """What one commit writes, as it gathers."""

    tree: Frontier
    rows: list[dict[str, Any]] = field(default_factory=list)
    personal: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, Any]] = field(default_factory=list)
    spooled: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    async def write(
        cls, session: WriteSession, tree: Frontier, waiting: Sequence[Waiting], subjects: Subjects, sign: Signer
    ) -> Batch:
        """Write entries behind `tree`, in order; the transaction is the caller's."""
        batch = cls(tree)
        if not waiting:
            return batch
        secrets = await _secrets(session, waiting, subjects)
        stamp = now()
        for one in waiting:
            batch._add(one, secrets, stamp)
            if tree.size % repository.KEEP_EVERY == 0:
                batch.heads.append(sign(tree))
        if not batch.heads or batch.heads[-1]["size"] != tree.size:
            batch.heads.append(sign(tree))
        await repository.add(session, batch.rows, batch.heads, batch.personal)
        if batch.spooled:
            await repository.take_over(session, batch.spooled)
        return batch

    def _add(self, one: Waiting, secrets: Mapping[str, SubjectSecret], stamp: datetime) -> None:
        index = self.tree.size
        entry = one.entry.model_copy(update={"logged_at": stamp, "spooled_at": one.spooled_at, **_marks(one, secrets)})
        canonical = _fitting(entry)
        leaf = merkle.leaf_hash(canonical)
        self.tree.append(leaf)
        self.rows.append(
            {
                "log_index": index,
                "at_ms": unix_ms(from_rfc3339(to_rfc3339(entry.at))),
                "user_id": entry.user_id[:64],
                "action": entry.action,
                "outcome": entry.outcome,
                "leaf": leaf,
                "entry": canonical.decode(),
            }
        )
        for name, subject in one.owners().items():
            secret = secrets[subject]
            sealed = secret.seal(one.personal[name], index, name)
            self.personal.append({"log_index": index, "name": name, "subject_id": secret.subject_id, "sealed": sealed})
        if one.spool_id:
            self.spooled.append({"spool_id": one.spool_id, "log_index": index})


def _marks(one: Waiting, secrets: Mapping[str, SubjectSecret]) -> dict[str, Any]:
    """The commitments that stand in the log for what is kept outside; whatever a caller wrote there goes."""
    named, main = one.owners(), one.main()
    about = secrets.get(main) if main is not None else None
    return {
        "subject": about.commitment(about.subject_id) if about is not None else "",
        "personal": {name: secrets[owner].commitment(one.personal[name]) for name, owner in named.items()},
    }


async def _secrets(session: WriteSession, waiting: Sequence[Waiting], subjects: Subjects) -> dict[str, SubjectSecret]:
    """The secret of every subject that is named; new ones are made and remembered."""
    named = sorted(
        {subject for one in waiting for subject in (*one.owners().values(), one.main()) if subject is not None}
    )
    if not named:
        return {}
    ids = {subject: subjects.id_of(subject) for subject in named}
    known = await repository.subjects(session, ids.values())
    found: dict[str, SubjectSecret] = {}
    fresh = []
    for subject, subject_id in ids.items():
        if subject_id in known:
            found[subject] = subjects.unwrap(subject_id, known[subject_id])
            continue
        found[subject], wrapped = subjects.make(subject_id)
        fresh.append({"subject_id": subject_id, "wrapped": wrapped, "created_ms": unix_ms(now())})
    if fresh:
        await repository.add_subjects(session, fresh)
    return found


def _fitting(entry: AuditEntry) -> bytes:
    """The canonical bytes; where they would not fit a bundle, the arguments' values and then the lists go."""
    canonical = entry.canonical()
    if len(canonical) > MAX_ENTRY_BYTES:
        names: list[Any] = sorted(entry.arguments)[:100]
        canonical = entry.model_copy(update={"arguments": {"too_long": names}}).canonical()
    if len(canonical) > MAX_ENTRY_BYTES:
        short = {"arguments": {"too_long": True}, "result_ids": entry.result_ids[:50], "fields_returned": ()}
        canonical = entry.model_copy(update=short).canonical()
    return canonical
