"""On which page a request's file shows its stamp: a file may have to be prepared anew."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what waits now is prepared anew without a stamp."""
    op.add_column("request_files", sa.Column("page", sa.BigInteger))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("request_files", "page")
