"""A whole center put together: opened in order, its workers supervised, closed in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from matpho_contracts.signing import SigningKey
from matpho_embeddings.encoder import Encoder
from matpho_embeddings.index.contract import VectorIndex
from matpho_embeddings.index.settings import IndexSettings
from matpho_platform.access.accounts import Accounts
from matpho_platform.access.administration import Administration
from matpho_platform.access.policy import PolicyEngine
from matpho_platform.audit.log import AuditLog
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.cameras.commands import CommandQueue
from matpho_platform.cameras.edges import EdgeRegistry
from matpho_platform.cameras.lenses import Lenses
from matpho_platform.cameras.registry import CameraOwners, CameraRegistry
from matpho_platform.cameras.service import CameraService
from matpho_platform.events.indexing import Indexer
from matpho_platform.events.intake import Intake
from matpho_platform.events.live import LiveEvents
from matpho_platform.events.outbox import OutboxWorker, promise_all
from matpho_platform.events.service import EventService
from matpho_platform.events.verification import VerificationReport, verify_events
from matpho_platform.events.writer import GroupWriter
from matpho_platform.evidence.gathering import Gatherer
from matpho_platform.evidence.service import EvidenceService
from matpho_platform.feedback.service import FeedbackService
from matpho_platform.ground import Ground, lay_ground, start_publishing
from matpho_platform.identity.service import IdentityService
from matpho_platform.identity.setup import open_identity
from matpho_platform.incidents.correlating import Correlator
from matpho_platform.incidents.outcomes import Outcomes
from matpho_platform.incidents.procedures import ProcedureService
from matpho_platform.incidents.rosters import Rosters
from matpho_platform.incidents.service import IncidentService
from matpho_platform.incidents.units import UnitService
from matpho_platform.information.library import Library, read_entries
from matpho_platform.media.clips import ClipCache
from matpho_platform.media.service import MediaService
from matpho_platform.notify.desk import Desk, open_desk
from matpho_platform.notify.service import Notifier
from matpho_platform.proposals.service import Proposals
from matpho_platform.reports.briefing import Briefings
from matpho_platform.settings import CenterSettings
from matpho_platform.store.blobs import BlobStore
from matpho_platform.store.engine import Store, open_store
from matpho_platform.store.sealing import Vault
from matpho_platform.watches.matching import Matcher
from matpho_platform.watches.service import WatchService
from matpho_platform.workers import Workers

if TYPE_CHECKING:
    from matpho_embeddings.retrieval import Retriever
    from matpho_platform.incidents.workflow.open import Following

INDEX_TOPIC = "index"
LIVE_TOPIC = "live"
WATCH_TOPIC = "watch"
INCIDENT_TOPIC = "incident"


@dataclass(slots=True)
class Center:
    """What the web layer and the tools hold in hand."""

    settings: CenterSettings
    store: Store
    blobs: BlobStore
    areas: AreaTree
    policy: PolicyEngine
    key: SigningKey
    accounts: Accounts
    administration: Administration
    audit: AuditLog
    edges: EdgeRegistry
    registry: CameraRegistry
    cameras: CameraService
    commands: CommandQueue
    lenses: Lenses
    intake: Intake
    events: EventService
    live: LiveEvents
    media: MediaService
    identity: IdentityService
    evidence: EvidenceService
    procedures: ProcedureService
    units: UnitService
    feedback: FeedbackService
    information: Library
    briefings: Briefings
    watches: WatchService
    incidents: IncidentService
    proposals: Proposals
    workers: Workers
    rosters: Rosters
    outcomes: Outcomes
    notifier: Notifier
    desk: Desk | None = None
    """Delivers what the notifier promises."""
    following: Following | None = None
    """The engine that follows incidents, where this process does."""
    index: VectorIndex | None = None
    encoder: Encoder | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def verify_all(self) -> VerificationReport:
        """Check every stored event: bytes, proof, key, columns, still."""
        await self.edges.load()
        return await verify_events(self.store, self.blobs, self.edges)

    async def reindex(self) -> int:
        """Promise every stored event to the index again (it was lost, or is new); returns how many jobs that makes."""
        return await promise_all(self.store, INDEX_TOPIC) if self.index is not None else 0

    async def close(self) -> None:
        """Stop the workers, flush the audit trail, close index and database."""
        await self._stack.aclose()


async def open_center(
    settings: CenterSettings, encoder: Encoder | None = None, *, index: VectorIndex | None = None
) -> Center:
    """Open a center. Without an encoder it lists and filters but does not search by words or likeness.

    `index` overrides the one of the settings (an edge index in the data folder by default); the center closes it.

    Raises ConfigurationError for settings that cannot be, UnavailableError for a database or index that is away.
    """
    async with AsyncExitStack() as stack:
        await asyncio.to_thread(settings.data.mkdir, parents=True, exist_ok=True)
        store = await open_store(_database(settings))
        stack.push_async_callback(store.close)
        if index is None and encoder is not None:
            index = await _open_index(settings, encoder.dim)
        if index is not None:
            stack.push_async_callback(index.close)
        center = await _compose(settings, store, encoder, index)
        stack.push_async_callback(center.audit.close)
        stack.push_async_callback(center.identity.close)
        center.desk = await _open_desk(center)
        stack.push_async_callback(center.desk.close)
        stack.push_async_callback(center.workers.close)
        center.desk.start(center.workers)
        if settings.workflows.on:
            await _follow(center, stack)
        center._stack = stack.pop_all()
    return center


async def _open_desk(center: Center) -> Desk:
    """Who delivers notices; it starts with the other workers."""
    settings = center.settings
    return await open_desk(
        settings.notify,
        center.store,
        center.notifier,
        center.areas,
        center.accounts,
        key=center.key,
        data=settings.data,
        base=settings.access.public_url or f"http://{settings.host}:{settings.port}",
    )


async def _follow(center: Center, stack: AsyncExitStack) -> None:
    """Follow incidents in this process; the workers stop before the engine does."""
    from matpho_platform.incidents.workflow.open import follow

    settings = center.settings
    url = settings.database_url
    following = await follow(
        center.store,
        center.rosters,
        center.notifier,
        center.workers,
        settings.workflows,
        url.get_secret_value() if url else settings.data / "workflows.db",
    )
    stack.push_async_callback(following.close)
    stack.push_async_callback(center.workers.close)
    center.following, center.incidents.promised = following, following.wake


def _database(settings: CenterSettings) -> str | Path:
    url = settings.database_url
    return url.get_secret_value() if url else settings.data / "center.db"


async def _open_index(settings: CenterSettings, dim: int) -> VectorIndex:
    from matpho_embeddings.index import open_index

    return await open_index(settings.index or IndexSettings(kind="edge", dim=dim, path=settings.data / "index"))


def _retriever(index: VectorIndex | None, encoder: Encoder | None) -> Retriever | None:
    if index is None or encoder is None:
        return None
    from matpho_embeddings.retrieval import Retriever

    return Retriever(index, encoder)


def _outboxes(
    ground: Ground,
    live: LiveEvents,
    watches: WatchService,
    notifier: Notifier,
    index: VectorIndex | None,
    ranker: Retriever | None,
) -> list[OutboxWorker]:
    """Who is told of every stored event."""
    store = ground.store
    matcher = Matcher(store, ground.areas, ground.policy, ground.accounts, notifier)
    outboxes = [
        OutboxWorker(store, LIVE_TOPIC, live.publish, wanted=live.wanted),
        OutboxWorker(store, WATCH_TOPIC, matcher.match, wanted=watches.wanted),
    ]
    if index is not None and ranker is not None:
        outboxes.append(OutboxWorker(store, INDEX_TOPIC, Indexer(index, ranker.points_of).add))
    return outboxes


def _start_taking_in(ground: Ground, outboxes: Sequence[OutboxWorker]) -> GroupWriter:
    """The writer of events, and the workers that do what its commits promise."""

    def wake() -> None:
        for outbox in outboxes:
            outbox.wake()

    def topics() -> list[str]:
        return [outbox.topic for outbox in outboxes if outbox.promised()]

    writer = GroupWriter(ground.store, topics, wake)
    ground.workers.start("intake-writer", writer.run)
    for outbox in outboxes:
        ground.workers.start(f"outbox-{outbox.topic}", outbox.run)
    return writer


def _evidence(ground: Ground, media: MediaService) -> EvidenceService:
    settings = ground.settings
    return EvidenceService(
        ground.store,
        Gatherer(ground.store, ground.blobs, ground.areas, ground.edges, media),
        ground.areas,
        ground.audit,
        ground.key,
        settings.data / "evidence",
        center=settings.name,
        quota_bytes=settings.evidence_quota_bytes,
        min_free_bytes=settings.min_free_bytes,
    )


async def _compose(
    settings: CenterSettings, store: Store, encoder: Encoder | None, index: VectorIndex | None
) -> Center:
    data, quota = settings.data, settings.clip_quota_bytes
    ground = await lay_ground(settings, store)
    areas, policy, blobs, edges = ground.areas, ground.policy, ground.blobs, ground.edges
    start_publishing(ground)
    owners, live, watches = CameraOwners(store), LiveEvents(areas), WatchService(store, areas)
    await watches.open()
    notifier = Notifier(store, areas)
    ranker = _retriever(index, encoder)
    procedures, units = ProcedureService(store), UnitService(store, areas)
    incidents = IncidentService(store, areas, procedures, units)
    outboxes = _outboxes(ground, live, watches, notifier, index, ranker)
    if settings.workflows.on:
        outboxes.append(OutboxWorker(store, INCIDENT_TOPIC, Correlator(store, incidents).take))
    writer = _start_taking_in(ground, outboxes)
    cameras, commands = CameraService(store, areas), CommandQueue()
    events = EventService(store, blobs, areas, edges, ranker=ranker, index=index, encoder=encoder)
    clips = ClipCache(store, data / "clips", quota, min_free_bytes=settings.min_free_bytes)
    media = MediaService(cameras, events, commands, clips)
    feedback = FeedbackService(store, blobs, areas, events, units)
    return Center(
        settings=settings,
        store=store,
        blobs=blobs,
        areas=areas,
        policy=policy,
        key=ground.key,
        accounts=ground.accounts,
        audit=ground.audit,
        edges=edges,
        workers=ground.workers,
        administration=Administration(store, ground.accounts),
        registry=CameraRegistry(store, areas, owners),
        cameras=cameras,
        commands=commands,
        lenses=Lenses(store, cameras, commands, policy),
        intake=Intake(store, blobs, edges, owners, areas, writer),
        events=events,
        live=live,
        media=media,
        identity=await open_identity(settings.identity, store, ground.key, data),
        evidence=_evidence(ground, media),
        procedures=procedures,
        units=units,
        feedback=feedback,
        information=Library(await asyncio.to_thread(read_entries, settings.information)),
        incidents=incidents,
        rosters=Rosters(store, areas),
        outcomes=Outcomes(store, areas),
        notifier=notifier,
        briefings=Briefings(events, incidents, cameras, feedback),
        watches=watches,
        proposals=Proposals(store, await asyncio.to_thread(Vault.load_or_create, data / "proposals.key")),
        index=index,
        encoder=encoder,
    )
