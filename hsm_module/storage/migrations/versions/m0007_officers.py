"""Officers; why a key ended; which generation of a key may still sign."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, add the columns, empty."""
    op.create_table(
        "officers",
        sa.Column("officer_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("changed_at_s", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.LargeBinary(length=20), nullable=False),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("officer_id", name="pk_officers"),
    )
    op.add_column("keys", sa.Column("ended_by", sa.String(length=64), nullable=True))
    op.add_column("keys", sa.Column("refresh_from", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("keys", "refresh_from")
    op.drop_column("keys", "ended_by")
    op.drop_table("officers")
