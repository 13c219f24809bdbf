"""Tables of the registrar."""

from pathlib import Path

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table

MIGRATIONS = Path(__file__).parent / "migrations"

metadata = MetaData()

activation_codes = Table(
    "activation_codes",
    metadata,
    Column("code_hash", LargeBinary(32), primary_key=True),  # HMAC-SHA256; the code is not kept
    Column("person_id", String(64), nullable=False),
    Column("expires_at_s", BigInteger, nullable=False),  # Unix time
    Column("device_key_hash", LargeBinary(32)),  # of the first device that used it
    Column("key_id", LargeBinary(16), unique=True),  # once granted
    Column("authorisation", String(4096)),  # the same again until it expires
    Column("authorisation_expires_at_s", BigInteger),
    Index("activation_codes_device", "device_key_hash"),
)

wrong_guesses = Table(
    "wrong_guesses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device_key_hash", LargeBinary(32), nullable=False),
    Column("at_s", BigInteger, nullable=False),  # Unix time
    Index("wrong_guesses_at", "at_s"),
)
