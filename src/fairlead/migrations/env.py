"""Run by Alembic, inside the transaction that `fairlead.migrations.upgrade` has opened."""

from alembic import context

from fairlead.base.database import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
