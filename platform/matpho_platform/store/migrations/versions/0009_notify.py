"""Notices, their messages, how people are reached, what comes in from chats."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
_WAITS = sa.text("due_ms IS NOT NULL")
_UNREACHED = sa.text("reached_ms IS NULL AND ended_ms IS NULL")


def upgrade() -> None:
    """Make the tables of this step."""
    op.create_table(
        "notice_contents",
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("notice_id", sa.String(length=36), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", "notice_id"),
    )
    op.create_index("notice_contents_notice", "notice_contents", ["notice_id"])
    op.create_table(
        "notice_messages",
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=220), nullable=False),
        sa.Column("token", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("critical", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("tried_ms", sa.BigInteger(), nullable=True),
        sa.Column("sent_ms", sa.BigInteger(), nullable=True),
        sa.Column("delivered_ms", sa.BigInteger(), nullable=True),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.Column("foreign_id", sa.String(length=200), nullable=True),
        sa.Column("error", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
    )
    op.create_index(
        "notice_messages_due", "notice_messages", ["channel", "due_ms"], sqlite_where=_WAITS, postgresql_where=_WAITS
    )
    op.create_index("notice_messages_foreign", "notice_messages", ["channel", "foreign_id"])
    op.create_index("notice_messages_key", "notice_messages", ["key"], unique=True)
    op.create_index("notice_messages_person", "notice_messages", ["user_id", "channel", "created_ms"])
    op.create_index("notice_messages_token", "notice_messages", ["token"], unique=True)
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("post_area", sa.String(length=64), nullable=False),
        sa.Column("template", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("alert", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("promised_ms", sa.BigInteger(), nullable=False),
        sa.Column("owed_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("reached_ms", sa.BigInteger(), nullable=True),
        sa.Column("delivered_ms", sa.BigInteger(), nullable=True),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.Column("acted_ms", sa.BigInteger(), nullable=True),
        sa.Column("acted_by", sa.String(length=64), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("missed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("notice_id"),
    )
    op.create_index("notices_due", "notices", ["due_ms"], sqlite_where=_WAITS, postgresql_where=_WAITS)
    op.create_index("notices_key", "notices", ["key"], unique=True)
    op.create_index("notices_subject", "notices", ["subject", "promised_ms"])
    op.create_index("notices_unreached", "notices", ["owed_ms"], sqlite_where=_UNREACHED, postgresql_where=_UNREACHED)
    op.create_table(
        "notify_addresses",
        sa.Column("address_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=80), nullable=True),
        sa.Column("origin", sa.String(length=12), nullable=False),
        sa.Column("verified_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("dead_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("address_id"),
    )
    op.create_index("notify_addresses_one", "notify_addresses", ["user_id", "channel", "mark"], unique=True)
    op.create_index("notify_addresses_owner", "notify_addresses", ["owner"], unique=True)
    op.create_table(
        "notify_mutes",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "subject"),
    )
    op.create_table(
        "notify_people",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("channels", sa.Text(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_to", sa.Integer(), nullable=True),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "notify_tokens",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "notify_updates",
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("update_id", sa.String(length=128), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("channel", "update_id"),
    )
    op.create_index("notify_updates_due", "notify_updates", ["due_ms"], sqlite_where=_WAITS, postgresql_where=_WAITS)
