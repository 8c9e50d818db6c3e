"""Every table of the center. The migrations make them; a test holds the two equal."""

from matpho_platform.store.tables.access import accounts, sessions
from matpho_platform.store.tables.audit import (
    audit_checkpoints,
    audit_entries,
    audit_personal,
    audit_spooled,
    audit_subjects,
)
from matpho_platform.store.tables.base import metadata
from matpho_platform.store.tables.cameras import cameras, edge_keys, edges, lens_locks, lens_moves
from matpho_platform.store.tables.citizens import feedback, feedback_history, watch_matches, watches
from matpho_platform.store.tables.events import batches, clips, counters, events, inbox, outbox, quarantine
from matpho_platform.store.tables.proposals import proposals

__all__ = [
    "accounts",
    "audit_checkpoints",
    "audit_entries",
    "audit_personal",
    "audit_spooled",
    "audit_subjects",
    "batches",
    "cameras",
    "clips",
    "counters",
    "edge_keys",
    "edges",
    "events",
    "feedback",
    "feedback_history",
    "inbox",
    "lens_locks",
    "lens_moves",
    "metadata",
    "outbox",
    "proposals",
    "quarantine",
    "sessions",
    "watch_matches",
    "watches",
]
