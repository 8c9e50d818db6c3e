"""Procedures, units, incidents; a timeline that the database itself keeps from being changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of this step and the guards of the timeline."""
    _registries()
    _incidents()
    _progress()
    _timeline()


def _registries() -> None:
    op.create_table(
        "procedures",
        sa.Column("procedure_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("procedure_id"),
    )
    op.create_table(
        "units",
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("unit_id"),
    )


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("incident_id", sa.String(length=64), nullable=False),
        sa.Column("procedure_id", sa.String(length=64), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("event_type", sa.String(length=40), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("acknowledged_ms", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=64), nullable=True),
        sa.Column("assigned_to", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("incident_id"),
    )
    op.create_index("incidents_opened", "incidents", ["opened_ms"], unique=False)
    op.create_index("incidents_area_opened", "incidents", ["area", "opened_ms"], unique=False)
    op.create_table(
        "incident_events",
        sa.Column("incident_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "event_id"),
    )
    op.create_index("incident_events_event", "incident_events", ["event_id"], unique=False)


def _progress() -> None:
    op.create_table(
        "incident_steps",
        sa.Column("incident_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("within_minutes", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("done_ms", sa.BigInteger(), nullable=True),
        sa.Column("done_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("incident_id", "position"),
    )
    op.create_table(
        "incident_tasks",
        sa.Column("task_id", sa.String(length=80), nullable=False),
        sa.Column("incident_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=False),
        sa.Column("sent_by", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("task_id"),
    )
    op.create_index("incident_tasks_incident", "incident_tasks", ["incident_id"], unique=False)


def _timeline() -> None:
    op.create_table(
        "incident_timeline",
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("incident_id", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("entry_id"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("incident_timeline_incident", "incident_timeline", ["incident_id", "entry_id"], unique=False)
    for statement in _GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


_GUARDS = {
    "sqlite": tuple(
        f"CREATE TRIGGER incident_timeline_no_{verb} BEFORE {verb} ON incident_timeline"
        " BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END"
        for verb in ("update", "delete")
    ),
    "postgresql": (
        """
        CREATE FUNCTION incident_timeline_frozen() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the timeline is append-only'; END $$
        """,
        """
        CREATE TRIGGER incident_timeline_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON incident_timeline
        FOR EACH STATEMENT EXECUTE FUNCTION incident_timeline_frozen()
        """,
    ),
}
