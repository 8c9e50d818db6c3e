"""Procedures with versions, steps with ids and states, runs and their signals, rosters, helping areas, false alarms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.String(length=64)
_RUN = sa.String(length=80)
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables of this step and widen those of incidents."""
    _incidents()
    _runs()
    _roster()
    op.create_table(
        "rule_outcomes",
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("camera_id", _ID, nullable=False),
        sa.Column("rule", _ID, nullable=False),
        sa.Column("false_alarm", sa.Boolean(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "event_id"),
    )
    op.create_index("rule_outcomes_rule", "rule_outcomes", ["camera_id", "rule", "at_ms"])


def _incidents() -> None:
    """Steps of before are numbered as procedures of format 1 number theirs."""
    op.add_column("incidents", sa.Column("version", sa.String(length=64), nullable=True))
    op.add_column("incidents", sa.Column("run", sa.Integer(), nullable=False, server_default="0"))
    for name, kind, default in (
        ("step_id", sa.String(length=40), ""),
        ("kind", sa.String(length=16), "task"),
        ("state", sa.String(length=16), "ready"),
        ("answer", sa.String(length=200), ""),
    ):
        op.add_column("incident_steps", sa.Column(name, kind, nullable=False, server_default=default))
    op.add_column("incident_steps", sa.Column("skipped_ms", sa.BigInteger(), nullable=True))
    op.execute("UPDATE incident_steps SET step_id = 'b' || CAST(position + 1 AS VARCHAR(8))")
    op.execute("UPDATE incident_steps SET state = 'done' WHERE done_ms IS NOT NULL")
    op.create_table(
        "procedure_versions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("procedure_id", _ID, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "incident_areas",
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("area", _ID, nullable=False),
        sa.Column("added_by", _ID, nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "area"),
    )
    op.create_index("incident_areas_area", "incident_areas", ["area"])


def _runs() -> None:
    op.create_table(
        "sop_runs",
        sa.Column("run_id", _RUN, nullable=False),
        sa.Column("incident_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=True),
        sa.Column("advanced_ms", sa.BigInteger(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index("sop_runs_incident", "sop_runs", ["incident_id", "number"], unique=True)
    open_ones = sa.text("ended_ms IS NULL")
    op.create_index("sop_runs_open", "sop_runs", ["next_ms"], sqlite_where=open_ones, postgresql_where=open_ones)
    op.create_table(
        "sop_signals",
        sa.Column("signal_id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("run_id", _RUN, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("promised_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("sop_signals_due", "sop_signals", ["due_ms"])
    op.create_index("sop_signals_run", "sop_signals", ["run_id"])
    op.create_table(
        "sop_executors",
        sa.Column("executor_id", _ID, nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("beat_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("executor_id"),
    )


def _roster() -> None:
    op.create_table(
        "duty_roster",
        sa.Column("duty_id", sa.String(length=36), nullable=False),
        sa.Column("area", _ID, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("set_by", _ID, nullable=False),
        sa.Column("set_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("duty_id"),
    )
    op.create_index("duty_roster_area", "duty_roster", ["area", "kind", "to_ms"])
