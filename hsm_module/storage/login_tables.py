"""The table of login keys."""

from typing import Final

from sqlalchemy import BigInteger, Column, String, Table

from hsm_module.storage.tables import HASH, ID, UNIX_TIME_S, metadata

# Which key of the token signs ID tokens, which will, which did: one row, which changes as a whole.
login_keys: Final = Table(
    "login_keys",
    metadata,
    Column("id", ID, primary_key=True),  # zeros
    Column("current", String(64), nullable=False),  # labels
    Column("next", String(64), nullable=False),
    Column("previous", String(64)),
    Column("rotated_at_s", UNIX_TIME_S, nullable=False),
    Column("row_version", BigInteger, nullable=False),
    Column("mac", HASH, nullable=False),
)
