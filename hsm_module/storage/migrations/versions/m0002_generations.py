"""A second generation of shares beside the first, until its first success."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "next_share_sha256": sa.LargeBinary(length=32),
    "next_epoch": sa.BigInteger(),
    "next_epoch_key": sa.LargeBinary(length=60),
    "next_previous_epoch_key": sa.LargeBinary(length=60),
    "next_epoch_shown": sa.Integer(),
    "next_last_sid": sa.LargeBinary(length=32),
    "next_kek_id": sa.String(length=64),
}


def upgrade() -> None:
    """Add its columns, empty."""
    for name, kind in COLUMNS.items():
        op.add_column("keys", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Drop its columns."""
    for name in reversed(COLUMNS):
        op.drop_column("keys", name)
