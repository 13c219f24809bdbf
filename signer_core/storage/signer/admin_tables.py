"""Tables of officers' mass jobs."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, String, Table

from signer_core.storage.signer.tables import metadata

# What an officer wants done to many keys, written down before the first is touched.
mass_jobs: Final = Table(
    "mass_jobs",
    metadata,
    Column("job_id", LargeBinary(16), primary_key=True),
    Column("kind", String(16), nullable=False),  # revoke, refresh
    Column("issued_from_s", BigInteger, nullable=False),  # 0: any
    Column("issued_to_s", BigInteger, nullable=False),  # 0: any
    Column("vault_id", String(64), nullable=False),  # empty: any
    Column("reason", String(64), nullable=False),
    Column("ticket", String(64), nullable=False),
    Column("officer_id", String(32), nullable=False),
    Column("created_at_s", BigInteger, nullable=False),
    Column("finished_at_s", BigInteger),
)

mass_job_keys: Final = Table(
    "mass_job_keys",
    metadata,
    Column("job_id", LargeBinary(16), ForeignKey("mass_jobs.job_id"), primary_key=True),
    Column("key_id", LargeBinary(16), primary_key=True),
    Column("outcome", String(16), nullable=False),  # pending, done, already, missing, altered
)
Index("mass_job_outcomes", mass_job_keys.c.job_id, mass_job_keys.c.outcome)
