"""What Alembic runs."""

from signer_core.storage.engine import run_migrations

run_migrations()
