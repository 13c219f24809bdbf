"""Mass jobs of officers; a certificate's UNZR beside its RNOKPP, to be looked up by."""

import sqlalchemy as sa
from alembic import op
from cryptography import x509

from signer_core.pki.qualified import find_directory_value

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BATCH = 1000  # rows in memory at once


def upgrade() -> None:
    """Make the tables; fill the column from the certificates."""
    op.create_table(
        "mass_jobs",
        sa.Column("job_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("issued_from_s", sa.BigInteger, nullable=False),
        sa.Column("issued_to_s", sa.BigInteger, nullable=False),
        sa.Column("vault_id", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("ticket", sa.String(64), nullable=False),
        sa.Column("officer_id", sa.String(32), nullable=False),
        sa.Column("created_at_s", sa.BigInteger, nullable=False),
        sa.Column("finished_at_s", sa.BigInteger),
    )
    op.create_table(
        "mass_job_keys",
        sa.Column(
            "job_id", sa.LargeBinary(16), sa.ForeignKey("mass_jobs.job_id"), primary_key=True
        ),
        sa.Column("key_id", sa.LargeBinary(16), primary_key=True),
        sa.Column("outcome", sa.String(16), nullable=False),
    )
    op.create_index("mass_job_outcomes", "mass_job_keys", ["job_id", "outcome"])
    op.add_column("certificates", sa.Column("unzr", sa.String(64)))
    op.create_index("certificates_of_unzr", "certificates", ["unzr"])
    _fill()


def downgrade() -> None:
    """Drop them."""
    op.drop_index("certificates_of_unzr", "certificates")
    op.drop_column("certificates", "unzr")
    op.drop_table("mass_job_keys")
    op.drop_table("mass_jobs")


def _fill() -> None:
    certificates = sa.table(
        "certificates", sa.column("key_id"), sa.column("certificate"), sa.column("unzr")
    )
    connection, last = op.get_bind(), b""
    while True:
        query = (
            sa.select(certificates.c.key_id, certificates.c.certificate)
            .where(certificates.c.key_id > last)
            .order_by(certificates.c.key_id)
            .limit(_BATCH)
        )
        rows = connection.execute(query).all()
        for key_id, der in rows:
            unzr = find_directory_value(x509.load_der_x509_certificate(der))
            same = certificates.c.key_id == key_id
            connection.execute(sa.update(certificates).where(same).values(unzr=unzr))
        if not rows:
            return
        last = rows[-1][0]
