"""Run migrations on the connection that `signer_core.storage.signer.schema` hands over."""

from alembic import context

from signer_core.storage.signer.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
