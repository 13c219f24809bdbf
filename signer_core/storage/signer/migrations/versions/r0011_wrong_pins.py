"""Wrong PINs by their sources, counted over all signers."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; it fills anew within ten minutes."""
    op.create_table(
        "wrong_pins",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_wrong_pins_source", "wrong_pins", ["source"])
    op.create_index("ix_wrong_pins_at_s", "wrong_pins", ["at_s"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("wrong_pins")
