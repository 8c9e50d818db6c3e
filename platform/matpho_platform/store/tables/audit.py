"""The audit trail: entries and signed heads; personal values beside it, each under a key that can be destroyed."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text

from matpho_platform.store.tables.base import Id, Serial, metadata

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("log_index", Serial, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("action", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("leaf", LargeBinary(32), nullable=False),
    Column("entry", Text, nullable=False),
    Index("audit_user_time", "user_id", "at_ms"),
    Index("audit_time", "at_ms"),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("key_id", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)

audit_subjects = Table(
    "audit_subjects",
    metadata,
    Column("subject_id", String(64), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)
"""One secret for each person or thing that entries are about, wrapped by the center's key. Deleting a row makes the
values and commitments made with it unreadable for good."""

audit_personal = Table(
    "audit_personal",
    metadata,
    Column("log_index", Serial, primary_key=True, autoincrement=False),
    Column("name", String(200), primary_key=True),
    Column("subject_id", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("audit_personal_subject", "subject_id"),
)
"""Personal values of entries: nonce and AES-256-GCM ciphertext."""

audit_spooled = Table(
    "audit_spooled",
    metadata,
    Column("spool_id", String(32), primary_key=True),
    Column("log_index", BigInteger, nullable=False),
)
"""Spooled entries that the log has taken over, so that each is taken once."""
