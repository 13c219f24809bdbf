"""Whose each seal is, and who may use it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "seals",
        sa.Column("seal_id", sa.String(length=58), nullable=False),
        sa.Column("organisation", sa.String(length=64), nullable=False),
        sa.Column("edrpou", sa.String(length=8), nullable=False),
        sa.Column("callers", sa.String(length=1024), nullable=False),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seal_id", name="pk_seals"),
    )


def downgrade() -> None:
    """Drop the table: nobody may use a seal any more."""
    op.drop_table("seals")
