"""What Alembic runs: the migrations, on the connection of `signer_core.storage.engine.upgrade`."""

from signer_core.storage.engine import run_migrations

run_migrations()
