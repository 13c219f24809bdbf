"""The signer's copy of the vault's partners, and what only the signer keeps: hashes of secrets."""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Text

from signer_core.storage.signer.tables import metadata

partners: Final = Table(
    "partners",
    metadata,
    Column("partner_id", String(63), primary_key=True),
    Column("record", Text, nullable=False),  # compact JWS, verified at each use
    Column("issued_at_s", BigInteger, nullable=False),  # of the record
    Column("active", Integer, nullable=False),  # 0: suspended
    Column("sandbox", Integer, nullable=False),
    Column("secret_sha256", LargeBinary(32)),  # of a random secret; null: it has none
)
