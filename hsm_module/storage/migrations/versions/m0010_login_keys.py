"""Which keys sign ID tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "login_keys",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("current", sa.String(length=64), nullable=False),
        sa.Column("next", sa.String(length=64), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=True),
        sa.Column("rotated_at_s", sa.BigInteger(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_login_keys"),
    )


def downgrade() -> None:
    """Drop the table: the keys begin anew with the oldest."""
    op.drop_table("login_keys")
