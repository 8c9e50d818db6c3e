"""Procedures, units, incidents with their steps, tasks and timeline."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, SmallInteger, String, Table, Text

from matpho_platform.store.tables.base import Id, Serial, metadata

procedures = Table(
    "procedures",
    metadata,
    Column("procedure_id", Id, primary_key=True),
    Column("title", String(200), nullable=False),
    Column("public", Boolean, nullable=False),
    Column("document", Text, nullable=False),
)
"""`document` is the whole procedure as JSON; what anybody may read is told apart in the query."""

units = Table(
    "units",
    metadata,
    Column("unit_id", Id, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("aliases", Text, nullable=False),
    Column("area", Id, nullable=False),
    Column("kind", String(16), nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("incident_id", Id, primary_key=True),
    Column("procedure_id", Id),
    Column("priority", SmallInteger, nullable=False),
    Column("status", String(16), nullable=False),
    Column("level", String(16), nullable=False),
    Column("area", Id, nullable=False),
    Column("event_type", String(40), nullable=False),
    Column("camera_id", Id, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("opened_by", Id, nullable=False),
    Column("acknowledged_ms", BigInteger),
    Column("acknowledged_by", Id),
    Column("assigned_to", Id),
    Column("version", String(64)),
    Column("run", Integer, nullable=False, server_default="0"),
    Index("incidents_opened", "opened_ms"),
    Index("incidents_area_opened", "area", "opened_ms"),
)
"""`event_type`, `camera_id` and `time_ms` are those of the leading event, empty where the center does not have it.
`version` is that of the procedure it runs by; `run` counts its reopenings."""

incident_events = Table(
    "incident_events",
    metadata,
    Column("incident_id", Id, primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("position", Integer, nullable=False),
    Index("incident_events_event", "event_id"),
)

incident_steps = Table(
    "incident_steps",
    metadata,
    Column("incident_id", Id, primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", String(200), nullable=False),
    Column("role", String(32), nullable=False),
    Column("within_minutes", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("done_ms", BigInteger),
    Column("done_by", Id),
    Column("step_id", String(40), nullable=False, server_default=""),
    Column("kind", String(16), nullable=False, server_default="task"),
    Column("state", String(16), nullable=False, server_default="ready"),
    Column("answer", String(200), nullable=False, server_default=""),
    Column("skipped_ms", BigInteger),
)
"""`state` and `due_ms` follow from what was done before; every act on a step writes them anew."""

incident_tasks = Table(
    "incident_tasks",
    metadata,
    Column("task_id", String(80), primary_key=True),
    Column("incident_id", Id, nullable=False),
    Column("unit_id", Id, nullable=False),
    Column("state", String(16), nullable=False),
    Column("sent_ms", BigInteger, nullable=False),
    Column("sent_by", Id, nullable=False),
    Column("note", Text, nullable=False),
    Index("incident_tasks_incident", "incident_id"),
)

incident_timeline = Table(
    "incident_timeline",
    metadata,
    Column("entry_id", Serial, primary_key=True, autoincrement=True),
    Column("incident_id", Id, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", Id, nullable=False),
    Column("action", String(24), nullable=False),
    Column("details", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("key", String(128), unique=True),
    Index("incident_timeline_incident", "incident_id", "entry_id"),
    sqlite_autoincrement=True,
)
"""Append-only: triggers of the migration refuse to change or delete an entry. `key` makes a repeated act harmless."""
