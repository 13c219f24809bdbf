"""Requests about a key, and requests that took the place of another one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("requests", sa.Column("about_key", sa.LargeBinary(16)))
    op.add_column("requests", sa.Column("replaces", sa.LargeBinary(16)))
    op.create_index("one_successor", "requests", ["replaces"], unique=True)


def downgrade() -> None:
    """Drop the columns."""
    op.drop_index("one_successor", "requests")
    op.drop_column("requests", "replaces")
    op.drop_column("requests", "about_key")
