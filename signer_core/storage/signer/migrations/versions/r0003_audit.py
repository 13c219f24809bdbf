"""The audit log with its tree, the outboxes of events and jobs, sources that are shut out."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "audit_outbox",
    "audit_log",
    "audit_nodes",
    "audit_tree",
    "audit_checkpoints",
    "job_outbox",
    "source_blocks",
)


def upgrade() -> None:
    """Make the tables."""
    _make_outboxes()
    _make_log()
    _make_tree()
    op.create_table(
        "source_blocks",
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("until_s", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _make_outboxes() -> None:
    op.create_table(
        "audit_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("event_id", sa.LargeBinary(16), nullable=False),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("result", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("actor_kind", sa.String(16), nullable=False),
        sa.Column("actor_id", sa.String(128), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("correlation_id", sa.String(32), nullable=False),
        sa.Column("key_id", sa.LargeBinary(16)),
        sa.Column("request_id", sa.LargeBinary(16)),
    )
    op.create_table(
        "job_outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("job_id", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at_s", sa.BigInteger, nullable=False),
        sa.Column("fetched", sa.Integer, nullable=False),
    )
    op.create_index("jobs_waiting", "job_outbox", ["fetched", "id"])


def _make_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.LargeBinary(16), nullable=False, unique=True),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("actor_id", sa.String(128), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("correlation_id", sa.String(32), nullable=False),
        sa.Column("key_id", sa.LargeBinary(16)),
        sa.Column("request_id", sa.LargeBinary(16)),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
    )
    op.create_index("audit_of_a_key", "audit_log", ["key_id", "seq"])
    op.create_index("audit_of_a_request", "audit_log", ["request_id", "seq"])
    op.create_index("audit_of_an_event", "audit_log", ["event", "seq"])


def _make_tree() -> None:
    op.create_table(
        "audit_nodes",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
    )
    op.create_table(
        "audit_tree",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("signed_at_s", sa.BigInteger, nullable=False),
        sa.Column("checkpoint", sa.Text, nullable=False),
    )
