"""The table of partners."""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, String, Table

from hsm_module.storage.tables import HASH, UNIX_TIME_S, metadata

# Whose record the registry signed last, and whether it may act. A row stays for ever.
partners: Final = Table(
    "partners",
    metadata,
    Column("partner_id", String(63), primary_key=True),
    Column("record", String(4096), nullable=False),  # compact JWS
    Column("active", Integer, nullable=False),  # 0: suspended
    Column("sandbox", Integer, nullable=False),  # 1: made by a developer
    Column("changed_at_s", UNIX_TIME_S, nullable=False),
    Column("row_version", BigInteger, nullable=False),
    Column("mac", HASH, nullable=False),
)
