"""Alembic's entry: runs the migrations on the connection that the center has open."""

from __future__ import annotations

from alembic import context

from matpho_platform.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
