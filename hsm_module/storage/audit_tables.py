"""The last tree of the audit log that the vault signed: one row."""

from typing import Final

from sqlalchemy import BigInteger, Column, Table

from hsm_module.storage.tables import HASH, ID, metadata

audit_heads: Final = Table(
    "audit_heads",
    metadata,
    Column("id", ID, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("root", HASH, nullable=False),
    Column("row_version", BigInteger, nullable=False),
    Column("mac", HASH, nullable=False),
)
