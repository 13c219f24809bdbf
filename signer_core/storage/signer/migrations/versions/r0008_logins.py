"""Logins at partners."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "login_requests",
        sa.Column("reference_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("parameters", sa.Text, nullable=False),
        sa.Column("expires_at_s", sa.BigInteger, nullable=False),
    )
    op.create_index("login_requests_by_end", "login_requests", ["expires_at_s"])
    op.create_table(
        "login_assertions",
        sa.Column("assertion_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("expires_at_s", sa.BigInteger, nullable=False),
    )
    op.create_index("login_assertions_by_end", "login_assertions", ["expires_at_s"])
    _create_logins()


def downgrade() -> None:
    """Drop them: logins under way begin anew."""
    for table in ("logins", "login_assertions", "login_requests"):
        op.drop_table(table)


def _create_logins() -> None:
    op.create_table(
        "logins",
        sa.Column("login_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("scope", sa.String(128), nullable=False),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("code_challenge", sa.String(43), nullable=False),
        sa.Column("auth_time_s", sa.BigInteger, nullable=False),
        sa.Column("claims", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("code_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("code_expires_at_s", sa.BigInteger, nullable=False),
        sa.Column("redeemed_at_s", sa.BigInteger),
        sa.Column("token_hash", sa.LargeBinary(32)),
        sa.Column("token_expires_at_s", sa.BigInteger),
        sa.Column("ended", sa.Integer, nullable=False),
        sa.Column("keep_until_s", sa.BigInteger, nullable=False),
    )
    op.create_index("logins_by_code", "logins", ["code_hash"], unique=True)
    op.create_index("logins_by_token", "logins", ["token_hash"], unique=True)
    op.create_index("logins_by_end", "logins", ["keep_until_s"])
