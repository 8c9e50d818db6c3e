"""Every table of the center. The migrations make them; a test holds the two equal."""

from matpho_platform.store.tables.access import (
    accounts,
    api_tokens,
    known_devices,
    linked_identities,
    one_time,
    passkeys,
    recovery_codes,
    sessions,
    totp_factors,
    try_turns,
    wrong_tries,
)
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
from matpho_platform.store.tables.identity import evidence_packages, identity_requests
from matpho_platform.store.tables.incidents import (
    incident_events,
    incident_steps,
    incident_tasks,
    incident_timeline,
    incidents,
    procedures,
    units,
)
from matpho_platform.store.tables.proposals import proposals

__all__ = [
    "accounts",
    "api_tokens",
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
    "evidence_packages",
    "feedback",
    "feedback_history",
    "identity_requests",
    "inbox",
    "incident_events",
    "incident_steps",
    "incident_tasks",
    "incident_timeline",
    "incidents",
    "known_devices",
    "lens_locks",
    "lens_moves",
    "linked_identities",
    "metadata",
    "one_time",
    "outbox",
    "passkeys",
    "procedures",
    "proposals",
    "quarantine",
    "recovery_codes",
    "sessions",
    "totp_factors",
    "try_turns",
    "units",
    "watch_matches",
    "watches",
    "wrong_tries",
]
