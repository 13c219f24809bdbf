"""Seals below the level asked."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "seal_repairs",
        sa.Column("repair_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("caller", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("asked", sa.Integer, nullable=False),
        sa.Column("reached", sa.Integer, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("expires_at_s", sa.BigInteger, nullable=False),
    )
    op.create_index("seal_repairs_by_end", "seal_repairs", ["expires_at_s"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("seal_repairs")
