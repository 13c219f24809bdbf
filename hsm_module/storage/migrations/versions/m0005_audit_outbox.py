"""Events say who, from where and why; each has an id of its own, and is kept until fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_WORDS = {
    "reason": 64,
    "subject": 128,
    "actor_kind": 16,
    "actor_id": 128,
    "source": 64,
    "correlation_id": 32,
}
# 16 random bytes a row, for the rows that are there
_RANDOM = {"sqlite": "randomblob(16)", "postgresql": "uuid_send(gen_random_uuid())"}


def upgrade() -> None:
    """Add the columns; earlier events get an id, and whether they were fetched stays open."""
    op.add_column("outbox", sa.Column("event_id", sa.LargeBinary(length=16), nullable=True))
    for name, size in _WORDS.items():
        column = sa.Column(name, sa.String(length=size), nullable=False, server_default="")
        op.add_column("outbox", column)
    op.add_column("outbox", sa.Column("acknowledged_at_s", sa.BigInteger(), nullable=True))
    outbox = sa.table("outbox", sa.column("event_id"))
    random = sa.text(_RANDOM[op.get_bind().dialect.name])
    op.execute(sa.update(outbox).values(event_id=random))
    op.create_index("ix_outbox_event_id", "outbox", ["event_id"], unique=True)
    open_only = sa.text("acknowledged_at_s IS NULL")
    op.create_index(
        "ix_outbox_waiting",
        "outbox",
        ["id"],
        unique=False,
        sqlite_where=open_only,
        postgresql_where=open_only,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_outbox_waiting", "outbox")
    op.drop_index("ix_outbox_event_id", "outbox")
    for name in ("acknowledged_at_s", *reversed(_WORDS), "event_id"):
        op.drop_column("outbox", name)
