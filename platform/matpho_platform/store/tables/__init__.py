"""Every table of the center. The migrations make them; a test holds the two equal."""

from matpho_platform.store.tables.access import accounts, sessions
from matpho_platform.store.tables.audit import audit_checkpoints, audit_entries
from matpho_platform.store.tables.base import metadata
from matpho_platform.store.tables.cameras import cameras, edge_keys, edges
from matpho_platform.store.tables.events import batches, clips, counters, events, inbox, outbox, quarantine

__all__ = [
    "accounts",
    "audit_checkpoints",
    "audit_entries",
    "batches",
    "cameras",
    "clips",
    "counters",
    "edge_keys",
    "edges",
    "events",
    "inbox",
    "metadata",
    "outbox",
    "quarantine",
    "sessions",
]
