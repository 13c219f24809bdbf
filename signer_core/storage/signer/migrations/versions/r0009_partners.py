"""The signer's copy of the vault's partners, and the hashes of their secrets."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; the vault fills it at the next start."""
    op.create_table(
        "partners",
        sa.Column("partner_id", sa.String(length=63), primary_key=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("issued_at_s", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("sandbox", sa.Integer(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(length=32)),
    )


def downgrade() -> None:
    """Drop it: partners need new secrets after that."""
    op.drop_table("partners")
