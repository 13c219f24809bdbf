"""The table of callbacks to partners."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, Text

from signer_core.storage.signer.tables import metadata

# What partners are told, each until it has it, at most a week. Written once: a try changes nothing.
callbacks: Final = Table(
    "callbacks",
    metadata,
    Column("callback_id", LargeBinary(16), primary_key=True),  # also of its job
    Column("offer_id", LargeBinary(16), nullable=False, unique=True),
    Column("partner_id", String(63), nullable=False),
    Column("address", Text, nullable=False),
    Column("headers", Text, nullable=False),  # JSON, [[name, value], ...]
    Column("body", LargeBinary, nullable=False),
    Column("expires_at_s", BigInteger, nullable=False),
    Index("callbacks_by_end", "expires_at_s"),
)
