"""The first tables: devices, certificates, requests, request_files."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _make_devices_and_certificates()
    _make_requests()
    _make_request_files()


def downgrade() -> None:
    """Drop the tables."""
    for table in ("request_files", "requests", "certificates", "devices"):
        op.drop_table(table)


def _make_devices_and_certificates() -> None:
    op.create_table(
        "devices",
        sa.Column("key_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("device_key_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("enrolled_at_s", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "certificates",
        sa.Column("key_id", sa.LargeBinary(16), sa.ForeignKey("devices.key_id"), primary_key=True),
        sa.Column("serial", sa.LargeBinary(20), nullable=False, unique=True),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("chain_pem", sa.Text, nullable=False),
        sa.Column("person_code", sa.String(64), nullable=False),
        sa.Column("not_after_s", sa.BigInteger, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.CheckConstraint("status IN ('active', 'superseded')", name="certificate_status"),
    )
    op.create_index(
        "one_active_certificate",
        "certificates",
        ["person_code"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )


def _make_requests() -> None:
    op.create_table(
        "requests",
        sa.Column("request_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("key_id", sa.LargeBinary(16), sa.ForeignKey("devices.key_id"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("relying_party", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("return_address", sa.Text, nullable=False),
        sa.Column("challenge", sa.LargeBinary(32), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("closing", sa.String(16)),
        sa.Column("decline_reason", sa.Text, nullable=False),
        sa.Column("created_at_s", sa.BigInteger, nullable=False),
        sa.Column("expires_at_s", sa.BigInteger, nullable=False),
        sa.Column("caller", sa.String(255), nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.UniqueConstraint("caller", "idempotency_key", name="one_request_an_idempotency_key"),
    )
    op.create_index("requests_of_a_key", "requests", ["key_id", "status", "created_at_s"])
    op.create_index("requests_by_status", "requests", ["status"])


def _make_request_files() -> None:
    op.create_table(
        "request_files",
        sa.Column(
            "request_id",
            sa.LargeBinary(16),
            sa.ForeignKey("requests.request_id"),
            primary_key=True,
        ),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("file_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("to_be_signed", sa.LargeBinary, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("prepared", sa.LargeBinary, nullable=False),
        sa.Column("signed", sa.LargeBinary),
    )
