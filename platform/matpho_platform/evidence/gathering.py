"""Gathering what belongs to some events: their signed bytes and proofs, stills, clips, and what could not be had."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import RowMapping

from matpho_contracts.errors import IntegrityError, MatphoError
from matpho_contracts.events import Event
from matpho_contracts.signing import EventProof
from matpho_contracts.times import to_rfc3339
from matpho_platform.access.principal import Scope
from matpho_platform.cameras import repository as camera_repository
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.cameras.edges import EdgeRegistry
from matpho_platform.events import reading
from matpho_platform.events.errors import EventNotFoundError
from matpho_platform.events.filters import within
from matpho_platform.evidence.errors import EvidenceError
from matpho_platform.evidence.packing import Content
from matpho_platform.evidence.schemas import Missing
from matpho_platform.media.schemas import Clip
from matpho_platform.media.service import MediaService
from matpho_platform.store.blobs import BlobStore
from matpho_platform.store.engine import Store

CLIPS_AT_ONCE = 4
CLIPS_WITHIN_S = 75.0
"""How long all clips of a package may take together; what has not come by then is said to be missing."""
MAX_PACKAGE_BYTES = 2 * 1024**3
"""Above it clips are left out, and said to be, so that a package fits on a disc and in a court's mailbox."""


@dataclass(frozen=True, slots=True)
class Found:
    """One event as the store has it."""

    row: RowMapping
    event: Event
    camera_name: str
    received_at: datetime


@dataclass(slots=True)
class Gathered:
    """Files by their name in the package, the manifest's lines about events, keys, and what is missing."""

    members: dict[str, Content] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    custody: list[dict[str, str]] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)


class Gatherer:
    """Reads store, pictures and clips on behalf of one scope at a time."""

    def __init__(
        self, store: Store, blobs: BlobStore, areas: AreaTree, edges: EdgeRegistry, media: MediaService
    ) -> None:
        self._store = store
        self._blobs = blobs
        self._areas = areas
        self._edges = edges
        self._media = media

    async def find(self, scope: Scope, event_ids: Sequence[str]) -> list[Found]:
        """The events in the order asked for; raises EventNotFoundError when any is not within the scope."""
        await self._edges.key("")  # refreshes the registry when it is old
        async with self._store.reading() as session:
            rows = await reading.by_ids(session, event_ids, within(self._areas.expand_scope(scope)))
            parsed = {name: reading.parse_row(row) for name, row in rows.items()}
            stored = {name: item for name, item in parsed.items() if item is not None}
            names = await camera_repository.names(session, {item.event.data.camera_id for item in stored.values()})
        lost = [name for name in event_ids if name not in stored]
        if lost:
            raise EventNotFoundError(f"There is no event {lost[0]}.")
        return [
            Found(
                rows[name],
                stored[name].event,
                names.get(stored[name].event.data.camera_id, stored[name].event.data.camera_id),
                stored[name].received_at,
            )
            for name in event_ids
        ]

    async def gather(self, scope: Scope, found: Sequence[Found], now: datetime) -> Gathered:
        """Everything that can be had of the events; the events themselves always."""
        gathered = Gathered()
        clips = await self._clips(scope, found, now)
        for one in found:
            line = self._event(gathered, one)
            line["still"] = await self._still(gathered, one)
        room = MAX_PACKAGE_BYTES - sum(
            len(content) for content in gathered.members.values() if isinstance(content, bytes)
        )
        for one, line in zip(found, gathered.events, strict=True):
            line["clip"], size = self._clip(gathered, one.event.id, clips[one.event.id], room)
            room -= size
        gathered.custody.sort(key=lambda entry: entry["at"])
        return gathered

    def _event(self, gathered: Gathered, one: Found) -> dict[str, Any]:
        event, row = one.event, one.row
        try:
            proof = reading.proof_of(row)
        except IntegrityError as error:
            raise EvidenceError(f"Event {event.id} has no proof that can be read: {error.message}") from error
        reason = reading.check_row(row, self._edges.public_key)
        file, beside = f"events/{event.id}.json", f"events/{event.id}.proof.json"
        gathered.members[file] = bytes(row["raw"])
        gathered.members[beside] = _proof_file(proof)
        key = self._edges.public_key(proof.header.key_id)
        if key is not None:
            gathered.keys[key.key_id] = {"public_key": key.raw.hex(), "edge_id": str(row["edge_id"])}
        line: dict[str, Any] = {
            "id": event.id,
            "type": event.event_type.value,
            "time": to_rfc3339(event.time),
            "camera_id": event.data.camera_id,
            "camera_name": one.camera_name,
            "area": event.data.area,
            "edge_id": str(row["edge_id"]),
            "signature": "invalid" if reason else "valid",
            "signature_reason": reason,
            "file": file,
            "proof": beside,
            "chain_begins": "edge",
        }
        gathered.events.append(line)
        gathered.custody += [
            _step(event.time, "seen", event.data.camera_id, event.id),
            _step(proof.header.signed_at, "signed", str(row["edge_id"]), event.id),
            _step(one.received_at, "received", "center", event.id),
        ]
        return line

    async def _still(self, gathered: Gathered, one: Found) -> dict[str, Any]:
        digest = one.event.data.evidence.thumbnail_sha256
        if digest is None:
            return _lacking(gathered, one.event.id, "still", "The event has no still.")
        try:
            jpeg = await self._blobs.get(digest)
        except MatphoError as error:
            return _lacking(gathered, one.event.id, "still", error.message)
        name = f"stills/{one.event.id}.jpg"
        gathered.members[name] = jpeg
        return {"file": name, "chain_begins": "edge"}

    async def _clips(self, scope: Scope, found: Sequence[Found], now: datetime) -> Mapping[str, Clip | str]:
        """The clip of each event, or why it could not be had."""
        turn = asyncio.Semaphore(CLIPS_AT_ONCE)

        async def one(event_id: str) -> Clip | str:
            async with turn:
                try:
                    return await self._media.clip(scope, event_id=event_id, at=now)
                except MatphoError as error:
                    return error.message

        tasks = {item.event.id: asyncio.create_task(one(item.event.id)) for item in found}
        try:
            done, late = await asyncio.wait(tasks.values(), timeout=CLIPS_WITHIN_S)
        finally:
            for task in tasks.values():
                task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return {
            name: task.result() if task in done else "The clip did not come in time." for name, task in tasks.items()
        }

    def _clip(self, gathered: Gathered, event_id: str, clip: Clip | str, room: int) -> tuple[dict[str, Any], int]:
        if isinstance(clip, str):
            return _lacking(gathered, event_id, "clip", clip), 0
        size = clip.path.stat().st_size
        if size > room:
            return _lacking(gathered, event_id, "clip", "The package would be too large with this clip."), 0
        name = f"clips/{event_id}.mp4"
        gathered.members[name] = Path(clip.path)
        facts = {
            "file": name,
            "start": to_rfc3339(clip.start),
            "end": to_rfc3339(clip.end),
            "media_type": clip.media_type,
            "chain_begins": "center",
        }
        return facts, size


def _proof_file(proof: EventProof) -> bytes:
    document = {
        "statement": proof.header.statement().decode(),
        "signature": proof.header.signature,
        "index": proof.index,
        "path": list(proof.path),
    }
    return json.dumps(document, indent=1).encode()


def _step(at: datetime, what: str, who: str, event_id: str) -> dict[str, str]:
    return {"at": to_rfc3339(at), "what": what, "who": who, "event": event_id}


def _lacking(gathered: Gathered, event_id: str, part: str, reason: str) -> dict[str, Any]:
    gathered.missing.append(Missing(event_id=event_id, part=part, reason=reason))
    return {"missing": reason}
