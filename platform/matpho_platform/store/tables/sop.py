"""Procedures as they were, runs of incidents with what they wait for, duty rosters, areas that help, false alarms."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from matpho_platform.store.tables.base import Id, Serial, metadata

procedure_versions = Table(
    "procedure_versions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("procedure_id", Id, nullable=False),
    Column("document", Text, nullable=False),
)
"""Every version that an incident runs by, by the SHA-256 of its JSON: a change touches no running incident."""

_RUNS = text("ended_ms IS NULL")

sop_runs = Table(
    "sop_runs",
    metadata,
    Column("run_id", String(80), primary_key=True),
    Column("incident_id", Id, nullable=False),
    Column("number", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger),
    Column("advanced_ms", BigInteger),
    Column("ended_ms", BigInteger),
    Index("sop_runs_incident", "incident_id", "number", unique=True),
    Index("sop_runs_open", "next_ms", sqlite_where=_RUNS, postgresql_where=_RUNS),
)
"""One run an opening or reopening. `next_ms`: the earliest deadline it waits for; `attempt`: of its workflow."""

sop_signals = Table(
    "sop_signals",
    metadata,
    Column("signal_id", Serial, primary_key=True, autoincrement=True),
    Column("run_id", String(80), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("promised_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Index("sop_signals_due", "due_ms"),
    Index("sop_signals_run", "run_id"),
    sqlite_autoincrement=True,
)
"""What a run must be told: written with the act, gone once the run has looked. `due_ms`: when it is handed over."""

sop_executors = Table(
    "sop_executors",
    metadata,
    Column("executor_id", Id, primary_key=True),
    Column("started_ms", BigInteger, nullable=False),
    Column("beat_ms", BigInteger, nullable=False),
)
"""The processes that run workflows, each with its last sign of life."""

duty_roster = Table(
    "duty_roster",
    metadata,
    Column("duty_id", String(36), primary_key=True),
    Column("area", Id, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("user_id", Id, nullable=False),
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("set_by", Id, nullable=False),
    Column("set_ms", BigInteger, nullable=False),
    Index("duty_roster_area", "area", "kind", "to_ms"),
)
"""Who is on duty where for what: a kind of unit, or `duty_officer`."""

incident_areas = Table(
    "incident_areas",
    metadata,
    Column("incident_id", Id, primary_key=True),
    Column("area", Id, primary_key=True),
    Column("added_by", Id, nullable=False),
    Column("added_ms", BigInteger, nullable=False),
    Index("incident_areas_area", "area"),
)
"""Areas that help with an incident of another; they may see it."""

rule_outcomes = Table(
    "rule_outcomes",
    metadata,
    Column("incident_id", Id, primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("camera_id", Id, nullable=False),
    Column("rule", String(64), nullable=False),
    Column("false_alarm", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Index("rule_outcomes_rule", "camera_id", "rule", "at_ms"),
)
"""What became of the events that rules fired: the latest word of the incident's end."""
