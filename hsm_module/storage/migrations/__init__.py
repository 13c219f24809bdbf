"""Alembic's migrations of the vault's database."""
