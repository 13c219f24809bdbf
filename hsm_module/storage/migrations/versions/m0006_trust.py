"""What the trust services keep: statuses, own certificates, CRLs, the clock of timestamps."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("certificate_statuses", "own_certificates", "crl_heads", "crls", "timestamp_clock")
NOT_GOOD = sa.text("status <> 'good'")


def upgrade() -> None:
    """Make the tables."""
    _create_statuses()
    op.create_table(
        "own_certificates",
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("label", name="pk_own_certificates"),
    )
    op.create_table(
        "crl_heads",
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("seen_changes", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("made_at_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name="pk_crl_heads"),
    )
    op.create_table(
        "crls",
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name="pk_crls"),
    )
    op.create_table(
        "timestamp_clock",
        sa.Column("id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_timestamp_clock"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_statuses() -> None:
    op.create_table(
        "certificate_statuses",
        sa.Column("issuer", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.LargeBinary(length=20), nullable=False),
        sa.Column("key_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("not_after_s", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("changed_at_s", sa.BigInteger(), nullable=False),
        sa.Column("row_version", sa.BigInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("issuer", "serial", name="pk_certificate_statuses"),
    )
    op.create_index(
        "ix_certificate_statuses_key_id", "certificate_statuses", ["key_id"], unique=False
    )
    op.create_index(
        "ix_certificate_statuses_not_good",
        "certificate_statuses",
        ["issuer", "serial"],
        unique=False,
        sqlite_where=NOT_GOOD,
        postgresql_where=NOT_GOOD,
    )
