"""Keeping acts until their yes: single use, fifteen minutes, for the person who asked and nobody else.

What waits is removed when it is taken, so that the arguments (a plate, a citizen's id) do not outlive their use; while
it waits they are sealed, bound to the proposal and its person.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.errors import IntegrityError
from matpho_contracts.times import from_unix_ms, unix_ms
from matpho_platform.proposals import repository
from matpho_platform.proposals.schemas import Proposal
from matpho_platform.store.engine import Store
from matpho_platform.store.sealing import Vault

LIFE = timedelta(minutes=15)
WAITING_PER_USER = 20
"""More than anybody reads; the oldest give way."""
log = logging.getLogger(__name__)


class Proposals:
    """What waits for a yes."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def put(
        self,
        user_id: str,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        rows: Iterable[Mapping[str, str]] = (),
        conversation: str,
        at: datetime,
    ) -> Proposal:
        """Let an act wait; its id cannot be guessed."""
        proposal = Proposal(
            id=secrets.token_urlsafe(24),
            user_id=user_id,
            tool=tool,
            arguments=dict(arguments),
            rows=tuple(dict(row) for row in rows),
            conversation=conversation,
            created_at=at,
            expires_at=at + LIFE,
        )
        await self._keep(proposal, at)
        return proposal

    async def give_back(self, proposal: Proposal, at: datetime) -> None:
        """Let an act that was taken wait on as it was: its yes came, but lacked something that the person can add."""
        await self._keep(proposal, at)

    async def _keep(self, proposal: Proposal, at: datetime) -> None:
        values = {
            "proposal_id": proposal.id,
            "user_id": proposal.user_id,
            "tool": proposal.tool,
            "arguments": self._sealed(proposal),
            "conversation": proposal.conversation,
            "created_ms": unix_ms(proposal.created_at),
            "expires_ms": unix_ms(proposal.expires_at),
        }
        async with self._store.writing() as session:
            await repository.tidy(session, proposal.user_id, WAITING_PER_USER - 1, unix_ms(at))
            await repository.add(session, values)

    async def take(self, user_id: str, proposal_id: str, at: datetime) -> Proposal | None:
        """The act, taken out for good; None when it is not this user's, was taken, dropped, or ran out."""
        async with self._store.writing() as session:
            row = await repository.find(session, proposal_id)
            if row is None or not await repository.remove(session, proposal_id, user_id):
                return None
        if not row["created_ms"] <= unix_ms(at) <= row["expires_ms"]:
            return None
        return self._proposal(row)

    async def waiting(self, user_id: str, at: datetime) -> Sequence[Proposal]:
        """What waits for this user's yes, newest first; from whatever channel it came."""
        async with self._store.reading() as session:
            rows = await repository.waiting(session, user_id, unix_ms(at))
        return [proposal for proposal in map(self._proposal, rows) if proposal is not None]

    async def drop(self, user_id: str, proposal_id: str) -> bool:
        """Forget an act; whether there was one."""
        async with self._store.writing() as session:
            return bool(await repository.remove(session, proposal_id, user_id))

    def _sealed(self, proposal: Proposal) -> str:
        shown = {"arguments": proposal.arguments, "rows": proposal.rows}
        plain = json.dumps(shown, ensure_ascii=False).encode()
        place = _place(proposal.id, proposal.user_id, proposal.tool)
        return base64.b64encode(self._vault.seal(plain, place)).decode()

    def _proposal(self, row: RowMapping) -> Proposal | None:
        """A row opened; None where it was changed, moved to somebody else, or sealed with another key."""
        place = _place(row["proposal_id"], row["user_id"], row["tool"])
        try:
            plain = self._vault.open(base64.b64decode(row["arguments"], validate=True), place)
        except (IntegrityError, ValueError):
            log.warning("a waiting act cannot be opened and counts as gone", extra={"tool": row["tool"]})
            return None
        shown = json.loads(plain)
        return Proposal(
            id=row["proposal_id"],
            user_id=row["user_id"],
            tool=row["tool"],
            arguments=shown["arguments"],
            rows=shown["rows"],
            conversation=row["conversation"],
            created_at=from_unix_ms(row["created_ms"]),
            expires_at=from_unix_ms(row["expires_ms"]),
        )


def _place(proposal_id: str, user_id: str, tool: str) -> str:
    """What a sealed act is bound to; no id holds a slash."""
    return f"proposals/{proposal_id}/{user_id}/{tool}"
