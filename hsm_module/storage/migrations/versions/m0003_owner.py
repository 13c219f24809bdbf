"""Whose a key is, as a keyed hash, and the hash of the code that suspends it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns, empty, each with an index."""
    op.add_column("keys", sa.Column("person_mac", sa.LargeBinary(length=32), nullable=True))
    op.add_column("keys", sa.Column("suspend_code_hash", sa.LargeBinary(length=32), nullable=True))
    op.create_index("ix_keys_person_mac", "keys", ["person_mac"], unique=False)
    op.create_index("ix_keys_suspend_code_hash", "keys", ["suspend_code_hash"], unique=True)


def downgrade() -> None:
    """Drop both columns."""
    op.drop_index("ix_keys_suspend_code_hash", "keys")
    op.drop_index("ix_keys_person_mac", "keys")
    op.drop_column("keys", "suspend_code_hash")
    op.drop_column("keys", "person_mac")
