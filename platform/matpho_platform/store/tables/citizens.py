"""Citizens' reports with their history, and the watches that people set with what they found."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, String, Table, Text

from matpho_platform.store.tables.base import Id, Serial, metadata

feedback = Table(
    "feedback",
    metadata,
    Column("code", Id, primary_key=True),
    Column("key", String(200), unique=True),
    Column("category", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("area", Id, nullable=False),
    Column("place", String(300), nullable=False),
    Column("lat", Float),
    Column("lon", Float),
    Column("owner", Id, nullable=False),
    Column("status", String(16), nullable=False),
    Column("unit_id", Id, nullable=False),
    Column("event_ids", Text, nullable=False),
    Column("photos", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Index("feedback_area_time", "area", "created_ms"),
    Index("feedback_owner", "owner"),
)
"""A report; `owner` is empty where it came anonymously. `event_ids` and `photos` (digests) are JSON lists."""

feedback_history = Table(
    "feedback_history",
    metadata,
    Column("entry_id", Serial, primary_key=True, autoincrement=True),
    Column("code", Id, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("actor", Id, nullable=False),
    Column("note", Text, nullable=False),
    Column("key", String(200), unique=True),
    Index("feedback_history_code", "code", "entry_id"),
    sqlite_autoincrement=True,
)
"""What became of a report, step by step; rows are only ever added."""

watches = Table(
    "watches",
    metadata,
    Column("watch_id", Id, primary_key=True),
    Column("key", String(200), unique=True),
    Column("name", String(200), nullable=False),
    Column("filter", Text, nullable=False),
    Column("notify", Text, nullable=False),
    Column("owner", Id, nullable=False),
    Column("case_number", Id, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Index("watches_expires", "expires_ms"),
)
"""Standing queries; `filter` is the JSON of search arguments, `notify` a JSON list of accounts."""

watch_matches = Table(
    "watch_matches",
    metadata,
    Column("watch_id", Id, primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("user_id", Id, primary_key=True),
    Column("area", Id, nullable=False),
    Column("event_ms", BigInteger, nullable=False),
    Column("matched_ms", BigInteger, nullable=False),
    Column("seen", Boolean, nullable=False),
    Index("watch_matches_user", "user_id", "event_ms"),
)
"""What a watch found, once for each event and person to tell."""
