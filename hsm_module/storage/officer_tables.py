"""The table of officers."""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table

from hsm_module.storage.tables import HASH, UNIX_TIME_S, metadata

# Who may read and change keys. A row stays when an officer goes.
officers: Final = Table(
    "officers",
    metadata,
    Column("officer_id", String(32), primary_key=True),
    Column("role", String(16), nullable=False),  # officer, auditor
    Column("key_hash", LargeBinary(32), nullable=False),  # of the certificate's public key
    Column("active", Integer, nullable=False),  # 0 or 1
    Column("changed_at_s", UNIX_TIME_S, nullable=False),
    Column("serial", LargeBinary(20), nullable=False),  # of the certificate
    Column("row_version", BigInteger, nullable=False),
    Column("mac", HASH, nullable=False),
)
