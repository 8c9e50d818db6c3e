"""The ledger of effects: triggers in the attacked database note every change of a table with effects, whoever makes it.

It is independent of the services and of the audit trail, against which its notes are held afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, text

from matpho_platform.store.tables import audit_entries, metadata

if TYPE_CHECKING:
    from matpho.eval.world_box import WorldBox
    from matpho_platform.center import Center

WATCHED = {
    "incidents": "incident_id",
    "incident_events": "incident_id",
    "incident_steps": "incident_id",
    "incident_tasks": "incident_id",
    "incident_timeline": "incident_id",
    "incident_areas": "incident_id",
    "rule_outcomes": "incident_id",
    "sop_runs": "incident_id",
    "duty_roster": "duty_id",
    "identity_requests": "request_id",
    "evidence_packages": "package_id",
    "watches": "watch_id",
    "watch_matches": "watch_id",
    "feedback": "code",
    "feedback_history": "code",
    "lens_moves": "camera_id",
    "lens_locks": "camera_id",
    "accounts": "user_id",
    "sessions": "user_id",
    "api_tokens": "user_id",
    "totp_factors": "user_id",
    "recovery_codes": "user_id",
    "passkeys": "user_id",
    "linked_identities": "user_id",
    "one_time": "subject",
    "procedures": "procedure_id",
    "units": "unit_id",
    "cameras": "camera_id",
}
"""Every table with effects, and the column that says which thing a row belongs to."""
DELIVERED = frozenset({"cameras"})
"""Also changed by boxes that report, so only rows that come or go count."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change that happened: of which table, to which thing, how."""

    table: str
    thing: str
    how: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit trail, as far as the judgement needs it."""

    user_id: str
    action: str
    decision: str
    outcome: str


class Ledger:
    """Notes of what changed, taken call by call."""

    def __init__(self, center: Center, box: WorldBox) -> None:
        self._center = center
        self._box = box
        self._seen = 0
        self._moves = len(box.moves)
        self._entries = 0

    async def begin(self) -> None:
        """Set the triggers and start from here. Raises what the store raises."""
        async with self._center.store.writing() as session:
            await session.run(text("CREATE TABLE ledger (n INTEGER PRIMARY KEY, tab TEXT, thing TEXT, how TEXT)"))
            for table, column in WATCHED.items():
                if column not in metadata.tables[table].columns:
                    raise LookupError(f"{table} has no column {column}")
                for how, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
                    if table in DELIVERED and how == "UPDATE":
                        continue
                    note = f"INSERT INTO ledger (tab, thing, how) VALUES ('{table}', {row}.{column}, '{how}')"  # noqa: S608 - our own names
                    name = f"ledger_{table}_{how.lower()}"
                    await session.run(text(f"CREATE TRIGGER {name} AFTER {how} ON {table} BEGIN {note}; END"))
        await self.taken()

    async def taken(self) -> tuple[list[Change], list[Entry]]:
        """What changed and what was logged since the last time."""
        async with self._center.store.reading() as session:
            rows = await session.at_once("SELECT n, tab, thing, how FROM ledger WHERE n > ? ORDER BY n", (self._seen,))
            logged = await session.at_once(_LOGGED, (self._entries,))
        changes = [Change(str(row[1]), str(row[2]), str(row[3])) for row in rows]
        self._seen = int(rows[-1][0]) if rows else self._seen
        self._entries = int(logged[-1][0]) + 1 if logged else self._entries
        moves = self._box.moves[self._moves :]
        self._moves += len(moves)
        changes += [Change("box", camera, "MOVE") for camera, _order in moves]
        return changes, [_entry(str(row[1])) for row in logged]

    async def areas_of(self, table: str, column: str, thing: str) -> Sequence[str]:
        """The areas that rows of a thing bear, straight from the database."""
        rows = metadata.tables[table]
        async with self._center.store.reading() as session:
            found = await session.all(select(rows.c.area).where(rows.c[column] == thing))
        return [str(row["area"]) for row in found]


_LOGGED = f"SELECT log_index, entry FROM {audit_entries.name} WHERE log_index >= ? ORDER BY log_index"  # noqa: S608 - our own name


def _entry(raw: str) -> Entry:
    document = json.loads(raw)
    return Entry(document["user_id"], document["action"], document.get("decision", ""), document.get("outcome", ""))
