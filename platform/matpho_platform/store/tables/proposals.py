"""Acts that wait for a yes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from matpho_platform.store.tables.base import Id, metadata

proposals = Table(
    "proposals",
    metadata,
    Column("proposal_id", String(64), primary_key=True),
    Column("user_id", Id, nullable=False),
    Column("tool", String(64), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("conversation", String(64), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Index("proposals_user", "user_id", "created_ms"),
)
