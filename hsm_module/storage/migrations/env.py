"""What Alembic runs: the migrations, on the connection that `migrate` passes in."""

from alembic import context

from hsm_module.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
