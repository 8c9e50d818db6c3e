"""The audit trail."""

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
