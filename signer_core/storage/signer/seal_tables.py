"""The table of seals that wait for repair."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from signer_core.storage.signer.tables import metadata

# Seals below the level asked, each until its caller has it, at most a week.
seal_repairs: Final = Table(
    "seal_repairs",
    metadata,
    Column("repair_id", LargeBinary(16), primary_key=True),
    Column("caller", String(255), nullable=False),
    Column("kind", String(8), nullable=False),  # pdf, cades
    Column("asked", Integer, nullable=False),  # signer_core.seals.model.Level
    Column("reached", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("expires_at_s", BigInteger, nullable=False),
    Index("seal_repairs_by_end", "expires_at_s"),
)
