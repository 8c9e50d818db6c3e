"""The boxes: enrolment by a one-time token, the registry of their keys, revocation."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from matpho_contracts.edge_api import EnrolAnswer, EnrolRequest
from matpho_contracts.ids import ShortId
from matpho_contracts.settings import SettingsBase
from matpho_contracts.signing import PublicKey
from matpho_contracts.times import now, unix_ms
from matpho_platform.cameras import edge_repository as repository
from matpho_platform.cameras.errors import EdgeNotFoundError, EnrolmentError
from matpho_platform.store.engine import Store
from matpho_platform.store.errors import DuplicateError

KEYS_MAX_AGE_S = 10.0
"""How old the registry in memory may be; where centers share a database, a revocation reaches all in this time."""


class EdgeEntry(SettingsBase):
    """A box that may enrol, as the settings name it."""

    id: ShortId
    name: str = ""
    areas: tuple[ShortId, ...] = ()
    """Areas it may speak for; empty is all of this center's."""
    token: SecretStr | None = None
    """One-time enrolment token; only its hash is kept."""


@dataclass(frozen=True, slots=True)
class EdgeKey:
    """A registered key and what its box may speak for."""

    key: PublicKey
    edge_id: str
    areas: tuple[str, ...]
    revoked_ms: int | None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class EdgeRegistry:
    """Who is enrolled. Look-ups answer from memory."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[str, EdgeKey] = {}
        self._loaded_at = -KEYS_MAX_AGE_S
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        """Read the registry anew."""
        async with self._store.reading() as session:
            edges = {row["edge_id"]: row for row in await repository.all_edges(session)}
            keys = await repository.all_keys(session)
        self._keys = {
            row["key_id"]: EdgeKey(
                PublicKey.from_hex(row["public_key"]),
                row["edge_id"],
                tuple(json.loads(edges[row["edge_id"]]["areas"])) if row["edge_id"] in edges else (),
                row["revoked_ms"],
            )
            for row in keys
        }
        self._loaded_at = time.monotonic()

    async def key(self, key_id: str) -> EdgeKey | None:
        """The key in use or revoked, or None; re-reads a registry older than KEYS_MAX_AGE_S."""
        if time.monotonic() - self._loaded_at > KEYS_MAX_AGE_S:
            async with self._loading:
                if time.monotonic() - self._loaded_at > KEYS_MAX_AGE_S:
                    await self.load()
        return self._keys.get(key_id)

    def public_key(self, key_id: str) -> PublicKey | None:
        """A key as last loaded, revoked or not: what was signed before a revocation stays checkable."""
        found = self._keys.get(key_id)
        return found.key if found else None

    async def configure(self, entries: Sequence[EdgeEntry]) -> None:
        """Bring the boxes of the settings in; a token that was used stays used."""
        for entry in entries:
            async with self._store.writing() as session:
                known = await repository.find_edge(session, entry.id)
                values = {"name": entry.name or entry.id, "areas": json.dumps(entry.areas)}
                if known is None:
                    await repository.add_edge(session, {"edge_id": entry.id, **values})
                else:
                    await repository.change_edge(session, entry.id, values)
                token = entry.token.get_secret_value() if entry.token else None
                if token and (known is None or known["token_hash"] != _hash(token)):
                    fresh = {"token_hash": _hash(token), "token_used_by": None}
                    await repository.change_edge(session, entry.id, fresh)
        await self.load()

    async def issue_token(self, edge_id: str) -> str:
        """A new one-time token of a known box; an older unused one stops working. Show it once."""
        token = secrets.token_urlsafe(32)
        async with self._store.writing() as session:
            if await repository.find_edge(session, edge_id) is None:
                raise EdgeNotFoundError(f"There is no box {edge_id}.", action="Name it in the settings first.")
            fresh = {"token_hash": _hash(token), "token_used_by": None}
            await repository.change_edge(session, edge_id, fresh)
        return token

    async def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """Bind a key to a box by its token; a box may show the key again that it has, another key needs a new token.

        Raises EnrolmentError without saying which part was wrong.
        """
        refused = EnrolmentError("The enrolment was refused.", action="Ask for a new one-time token.")
        public = PublicKey.from_hex(request.public_key)
        given = _hash(request.token.get_secret_value())
        await self.load()
        try:
            async with self._store.writing() as session:
                edge = await repository.find_edge(session, request.edge_id)
                expected = edge["token_hash"] if edge is not None and edge["token_hash"] else "0" * 64
                if not hmac.compare_digest(expected, given) or edge is None:
                    raise refused
                held = self._keys.get(public.key_id)
                bound = held is not None and held.edge_id == request.edge_id and held.revoked_ms is None
                if bound or edge["token_used_by"] == public.key_id:
                    return EnrolAnswer(edge_id=request.edge_id, key_id=public.key_id)
                if not await repository.use_token(session, request.edge_id, given, public.key_id):
                    raise refused
                values = {
                    "key_id": public.key_id,
                    "edge_id": request.edge_id,
                    "public_key": request.public_key,
                    "registered_ms": unix_ms(now()),
                }
                await repository.add_key(session, values)
        except DuplicateError as error:  # the key belongs to a box already
            raise refused from error
        await self.load()
        return EnrolAnswer(edge_id=request.edge_id, key_id=public.key_id)

    async def revoke(self, edge_id: str) -> int:
        """Stop every key of a box at once; what it sent before stays valid. Returns how many keys."""
        async with self._store.writing() as session:
            count = await repository.revoke_keys(session, edge_id, unix_ms(now()))
        await self.load()
        return count
