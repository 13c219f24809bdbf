"""The head of the high-water marks, so that neither can be older than the other."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; its one row comes with the next start."""
    op.create_table(
        "mark_heads",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("file_number", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mark_heads"),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("mark_heads")
