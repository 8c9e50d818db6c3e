"""Wrong tries at signing in, which a restart must not forget."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of this step."""
    op.create_table(
        "wrong_tries",
        sa.Column("try_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("try_id"),
    )
    op.create_index("wrong_tries_name", "wrong_tries", ["name", "at_ms"])
    op.create_index("wrong_tries_at", "wrong_tries", ["at_ms"])
    op.create_table(
        "try_turns",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("next_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("try_turns_next", "try_turns", ["next_ms"])
