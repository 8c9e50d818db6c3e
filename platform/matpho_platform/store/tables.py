"""Every table of the center. The migrations make them; a test holds the two equal.

Times are Unix milliseconds UTC. Lists of words sit in one text column as `|word|word|` so that a filter is one LIKE
on rows that an index has already narrowed, and an insert writes one row, not ten.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
)

metadata = MetaData()

_Id = String(64)
_Serial = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite clusters a table by its INTEGER PRIMARY KEY."""

counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Serial numbers; updating a row also serialises the writers of what it counts."""

edges = Table(
    "edges",
    metadata,
    Column("edge_id", _Id, primary_key=True),
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
    Column("edge_id", _Id, nullable=False),
    Column("public_key", String(64), nullable=False),
    Column("registered_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

cameras = Table(
    "cameras",
    metadata,
    Column("camera_id", _Id, primary_key=True),
    Column("edge_id", _Id, nullable=False),
    Column("name", String(200), nullable=False),
    Column("area", _Id, nullable=False),
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
)

batches = Table(
    "batches",
    metadata,
    Column("batch_id", _Serial, primary_key=True, autoincrement=False),
    Column("edge_id", _Id, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("header", LargeBinary, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", _Serial, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("event_type", String(40), nullable=False),
    Column("camera_id", _Id, nullable=False),
    Column("area", _Id, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("object_count", Integer, nullable=False),
    Column("labels", Text, nullable=False),
    Column("pairs", Text, nullable=False),
    Column("plates", Text, nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("still", String(64)),
    Column("batch_id", BigInteger, nullable=False),
    Column("batch_index", Integer, nullable=False),
    Column("path", LargeBinary, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Index("events_time", "time_ms"),
    Index("events_camera_time", "camera_id", "time_ms"),
)
"""An event as it was signed (`raw`, `path`: the inclusion proof) and columns to filter by, all derived from `raw`."""

inbox = Table(
    "inbox",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Every event id ever taken, kept for good: what makes a second delivery harmless. Also the way from id to row."""

outbox = Table(
    "outbox",
    metadata,
    Column("job_id", _Serial, primary_key=True, autoincrement=True),
    Column("topic", String(16), nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    sqlite_autoincrement=True,
)
"""Work that a commit promised: events `first_seq`..`last_seq` to the index and to the live stream."""

quarantine = Table(
    "quarantine",
    metadata,
    Column("entry_id", _Serial, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("edge_id", _Id, nullable=False),
    Column("code", String(32), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

clips = Table(
    "clips",
    metadata,
    Column("clip_id", String(64), primary_key=True),
    Column("camera_id", _Id, nullable=False),
    Column("area", _Id, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("user_id", _Id, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("areas", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", _Id, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("label", String(200), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
)

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("log_index", _Serial, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("user_id", _Id, nullable=False),
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
