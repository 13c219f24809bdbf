"""Callbacks to partners; why a job of the worker was given up, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, add the columns."""
    op.create_table(
        "callbacks",
        sa.Column("callback_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("offer_id", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("partner_id", sa.String(63), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("expires_at_s", sa.BigInteger, nullable=False),
    )
    op.create_index("callbacks_by_end", "callbacks", ["expires_at_s"])
    op.add_column("job_outbox", sa.Column("again", sa.Integer, nullable=False, server_default="0"))
    op.add_column("job_outbox", sa.Column("ended_at_s", sa.BigInteger))
    op.add_column("job_outbox", sa.Column("reason", sa.String(200)))


def downgrade() -> None:
    """Drop them."""
    for name in ("reason", "ended_at_s", "again"):
        op.drop_column("job_outbox", name)
    op.drop_table("callbacks")
