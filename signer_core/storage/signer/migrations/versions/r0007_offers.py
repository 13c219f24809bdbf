"""Offers, and what a request that came of one has besides."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and the columns; requests of before have nothing in them."""
    op.create_table(
        "offers",
        sa.Column("offer_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("relying_party_id", sa.String(63), nullable=False),
        sa.Column("relying_party", sa.Text, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("return_address", sa.Text, nullable=False),
        sa.Column("challenge", sa.LargeBinary(32), nullable=False),
        sa.Column("statement", sa.Text, nullable=False),
        sa.Column("initiator", sa.Text, nullable=False),
        sa.Column("same_device", sa.Boolean, nullable=False),
        sa.Column("person_code", sa.String(64), nullable=False),
        sa.Column("link_secret", sa.LargeBinary(32), nullable=False),
        sa.Column("stored", sa.String(16), nullable=False),
        sa.Column("created_at_s", sa.BigInteger, nullable=False),
        sa.Column("expires_at_s", sa.BigInteger, nullable=False),
        sa.Column("caller", sa.String(255), nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("request_id", sa.LargeBinary(16)),
        sa.Column("key_id", sa.LargeBinary(16)),
        sa.Column("collector", sa.LargeBinary(32)),
        sa.Column("antibot_token", sa.LargeBinary(32)),
        sa.CheckConstraint(
            "stored IN ('open', 'claimed', 'withdrawn', 'collected')", name="offer_stored"
        ),
        sa.UniqueConstraint(
            "caller", "relying_party_id", "idempotency_key", name="one_offer_an_idempotency_key"
        ),
    )
    op.create_index("offers_of_requests", "offers", ["request_id"], unique=True)
    op.create_table(
        "offer_files",
        sa.Column(
            "offer_id", sa.LargeBinary(16), sa.ForeignKey("offers.offer_id"), primary_key=True
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("file_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("document", sa.LargeBinary),
    )
    op.add_column("requests", sa.Column("offer_id", sa.LargeBinary(16)))
    for name in ("statement", "initiator"):
        op.add_column("requests", sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column("requests", sa.Column("ended_at_s", sa.BigInteger))
    op.add_column(
        "request_files", sa.Column("media_type", sa.String(100), nullable=False, server_default="")
    )


def downgrade() -> None:
    """Drop it all."""
    op.drop_column("request_files", "media_type")
    for name in ("ended_at_s", "initiator", "statement", "offer_id"):
        op.drop_column("requests", name)
    op.drop_table("offer_files")
    op.drop_index("offers_of_requests", "offers")
    op.drop_table("offers")
