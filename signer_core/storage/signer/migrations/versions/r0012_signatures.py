"""Of a signed file only its CMS is kept: the rest is the prepared one."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; files that were signed before stay whole, where they are."""
    op.create_table(
        "signatures",
        sa.Column("request_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("cms", sa.LargeBinary, nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id", "position"], ["request_files.request_id", "request_files.position"]
        ),
    )


def downgrade() -> None:
    """Drop the table, with what was signed since."""
    op.drop_table("signatures")
