"""Activation codes and wrong guesses."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "activation_codes",
        sa.Column("code_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("person_id", sa.String(64), nullable=False),
        sa.Column("expires_at_s", sa.BigInteger(), nullable=False),
        sa.Column("device_key_hash", sa.LargeBinary(32)),
        sa.Column("key_id", sa.LargeBinary(16), unique=True),
        sa.Column("authorisation", sa.String(4096)),
        sa.Column("authorisation_expires_at_s", sa.BigInteger()),
    )
    op.create_index("activation_codes_device", "activation_codes", ["device_key_hash"])
    op.create_table(
        "wrong_guesses",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("device_key_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
    )
    op.create_index("wrong_guesses_at", "wrong_guesses", ["at_s"])
