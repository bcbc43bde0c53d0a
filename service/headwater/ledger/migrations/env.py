"""Alembic's entry point: the connection is handed in by `headwater.ledger.schema`, nothing is read from files."""

from alembic import context

from headwater.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
