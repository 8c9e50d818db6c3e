"""The ground of a center: its keys, accounts, policy, audit log and boxes, opened before any room is built on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from matpho_contracts.signing import SigningKey
from matpho_platform.access.accounts import Accounts
from matpho_platform.access.keys import AccessKey
from matpho_platform.access.policy import PolicyEngine
from matpho_platform.audit.log import AuditLog
from matpho_platform.audit.soc.feed import SocFeed
from matpho_platform.cameras.areas import AreaTree
from matpho_platform.cameras.edges import EdgeRegistry
from matpho_platform.settings import CenterSettings
from matpho_platform.store.blobs import BlobStore, FolderBlobs
from matpho_platform.store.engine import Store
from matpho_platform.workers import Workers


@dataclass(frozen=True, slots=True)
class Ground:
    """What every room of a center stands on."""

    settings: CenterSettings
    store: Store
    areas: AreaTree
    policy: PolicyEngine
    key: SigningKey
    blobs: BlobStore
    accounts: Accounts
    audit: AuditLog
    edges: EdgeRegistry
    workers: Workers


async def lay_ground(settings: CenterSettings, store: Store) -> Ground:
    """Keys, accounts, policy, log and boxes, made on the first start. Raises ConfigurationError."""
    data, areas = settings.data, AreaTree(settings.areas)
    access_key = await asyncio.to_thread(AccessKey.load_or_create, data / "access.key")
    key = await asyncio.to_thread(SigningKey.load_or_create, data / "center.pem")
    ground = Ground(
        settings=settings,
        store=store,
        areas=areas,
        policy=await asyncio.to_thread(PolicyEngine.load, areas, settings.policies),
        key=key,
        blobs=FolderBlobs(data / "stills", min_free_bytes=settings.min_free_bytes),
        accounts=Accounts(store, settings.access, access_key, title=settings.name),
        audit=AuditLog(store, key, data / "audit"),
        edges=EdgeRegistry(store),
        workers=Workers(),
    )
    await ground.accounts.configure(settings.accounts)
    await ground.audit.open()
    await ground.edges.configure(settings.edges)
    return ground


def start_publishing(ground: Ground) -> None:
    """The audit log into its tiles and, where there is one, to the security operations centre."""
    settings, audit = ground.settings, ground.audit
    ground.workers.start("audit-publisher", audit.keep_published)
    if settings.soc is not None:
        feed = SocFeed(ground.store, settings.soc, settings.data / "audit", settings.name)
        audit.on_trouble = feed.tell
        ground.workers.start("soc-feed", feed.run)
