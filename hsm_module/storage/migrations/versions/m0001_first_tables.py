"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = ("keys", "share_records", "requests", "certificates", "consumed_authorisations", "outbox")


def upgrade() -> None:
    """Make every table."""
    _create_keys()
    _create_share_records()
    _create_requests()
    _create_certificates()
    _create_consumed_authorisations()
    _create_outbox()


def downgrade() -> None:
    """Drop every table."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_keys() -> None:
    op.create_table(
        "keys",
        sa.Column("key_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("device_key_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("authorisation_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=33), nullable=False),
        sa.Column("certificate_sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("lifetime_failed", sa.Integer(), nullable=False),
        sa.Column("hold_until_s", sa.BigInteger(), nullable=False),
        sa.Column("unresolved", sa.Integer(), nullable=False),
        sa.Column("live_sid", sa.LargeBinary(length=32), nullable=True),
        sa.Column("judging_sid", sa.LargeBinary(length=32), nullable=True),
        sa.Column("judging_process", sa.String(length=64), nullable=True),
        sa.Column("judging_request_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("judging_deadline_s", sa.BigInteger(), nullable=True),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("share_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("epoch_key", sa.LargeBinary(length=60), nullable=False),
        sa.Column("previous_epoch_key", sa.LargeBinary(length=60), nullable=True),
        sa.Column("epoch_shown", sa.Integer(), nullable=False),
        sa.Column("last_sid", sa.LargeBinary(length=32), nullable=True),
        sa.Column("kek_id", sa.String(length=64), nullable=False),
        sa.Column("signatures", sa.BigInteger(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name="pk_keys"),
    )


def _create_share_records() -> None:
    op.create_table(
        "share_records",
        sa.Column("key_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kek_id", sa.String(length=64), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name="fk_share_records_key_id"),
        sa.PrimaryKeyConstraint("key_id", "generation", name="pk_share_records"),
    )


def _create_requests() -> None:
    op.create_table(
        "requests",
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("file_hashes", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at_s", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=True),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name="fk_requests_key_id"),
        sa.PrimaryKeyConstraint("request_id", name="pk_requests"),
    )
    op.create_index("ix_requests_key_id", "requests", ["key_id"], unique=False)


def _create_certificates() -> None:
    op.create_table(
        "certificates",
        sa.Column("key_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("kek_id", sa.String(length=64), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.key_id"], name="fk_certificates_key_id"),
        sa.PrimaryKeyConstraint("key_id", name="pk_certificates"),
    )


def _create_consumed_authorisations() -> None:
    op.create_table(
        "consumed_authorisations",
        sa.Column("jti", sa.LargeBinary(length=16), nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("consumed_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("jti", name="pk_consumed_authorisations"),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at_s", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("result", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
