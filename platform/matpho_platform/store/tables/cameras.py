"""Boxes and their cameras."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, String, Table, Text

from matpho_platform.store.tables.base import Id, metadata

edges = Table(
    "edges",
    metadata,
    Column("edge_id", Id, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("areas", Text, nullable=False),
    Column("token_hash", String(64)),
    Column("token_used_by", String(64)),
    Column("reported_ms", BigInteger),
    Column("report", Text),
)

edge_keys = Table(
    "edge_keys",
    metadata,
    Column("key_id", String(64), primary_key=True),
    Column("edge_id", Id, nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("registered_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

cameras = Table(
    "cameras",
    metadata,
    Column("camera_id", Id, primary_key=True),
    Column("edge_id", Id, nullable=False),
    Column("name", String(200), nullable=False),
    Column("area", Id, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("owner", String(20), nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("presets", Text, nullable=False),
    Column("covers", Text, nullable=False),
    Column("folded", Text, nullable=False),
    Column("status", String(8), nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Column("fps", Float, nullable=False),
    Column("last_frame_ms", BigInteger),
    Column("brightness", Float, nullable=False),
    Column("sharpness", Float, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("reported_ms", BigInteger, nullable=False),
    Column("aliases", Text, nullable=False, server_default="[]"),
)

lens_locks = Table(
    "lens_locks",
    metadata,
    Column("camera_id", Id, primary_key=True),
    Column("user_id", Id, nullable=False),
    Column("role", String(16), nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
"""Who turned a camera last and holds its lens for a short while."""

lens_moves = Table(
    "lens_moves",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("camera_id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("move", Text, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),
)
"""Every turn of a lens that was asked for, once for each key; without `done_ms` the box did not say that it turned."""
