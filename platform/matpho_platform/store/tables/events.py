"""Events, the inbox that makes repeats harmless, the outbox of work, the quarantine, clips."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
)

from matpho_platform.store.tables.base import Id, Serial, metadata

counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Serial numbers; updating a row also serialises the writers of what it counts."""

batches = Table(
    "batches",
    metadata,
    Column("batch_id", Serial, primary_key=True, autoincrement=False),
    Column("edge_id", Id, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("stored", Integer, nullable=False),
    Column("header", LargeBinary, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("event_type", String(40), nullable=False),
    Column("camera_id", Id, nullable=False),
    Column("area", Id, nullable=False),
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
    Column("job_id", Serial, primary_key=True, autoincrement=True),
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
    Column("entry_id", Serial, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("signed", Boolean, nullable=False),
    Column("edge_id", Id, nullable=False),
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
    Column("camera_id", Id, nullable=False),
    Column("area", Id, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("used_ms", BigInteger, nullable=False),
)
