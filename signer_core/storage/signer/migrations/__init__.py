"""Alembic migrations of the signer's database, oldest first in `versions`."""
