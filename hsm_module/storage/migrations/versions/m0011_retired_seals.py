"""When a seal was retired."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; it is empty for a seal in use."""
    op.add_column("seals", sa.Column("retired_at_s", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("seals", "retired_at_s")
