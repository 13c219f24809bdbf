"""The table of seals."""

from typing import Final

from sqlalchemy import BigInteger, Column, String, Table

from hsm_module.storage.tables import HASH, LATER, UNIX_TIME_S, metadata

# Whose each seal is, and who may use it. The key is in the token, under the seal's label.
seals: Final = Table(
    "seals",
    metadata,
    Column("seal_id", String(58), primary_key=True),
    Column("organisation", String(64), nullable=False),
    Column("edrpou", String(8), nullable=False),
    Column("callers", String(1024), nullable=False),  # DNS names of processes, with spaces between
    Column("retired_at_s", UNIX_TIME_S, info=LATER),
    Column("row_version", BigInteger, nullable=False),
    Column("mac", HASH, nullable=False),
)
