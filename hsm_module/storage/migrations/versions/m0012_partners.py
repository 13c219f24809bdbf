"""Partners and their records."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "partners",
        sa.Column("partner_id", sa.String(length=63), nullable=False),
        sa.Column("record", sa.String(length=4096), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("sandbox", sa.Integer(), nullable=False),
        sa.Column("changed_at_s", sa.BigInteger(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", name="pk_partners"),
    )


def downgrade() -> None:
    """Drop the table: the vault knows no partner any more."""
    op.drop_table("partners")
