"""Tables of the trust services, beside those of `tables.py`."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table, text

from hsm_module.storage.tables import HASH, ID, UNIX_TIME_S, metadata

SERIAL: Final = LargeBinary(20)  # big-endian, without leading zeros
LABEL: Final = String(64)  # of a key in the token

# Every certificate that one of our authorities issued, and what it is worth now.
certificate_statuses: Final = Table(
    "certificate_statuses",
    metadata,
    Column("issuer", LABEL, primary_key=True),
    Column("serial", SERIAL, primary_key=True),
    Column("key_id", ID, index=True),  # the person's key that it belongs to, or the token's
    Column("kind", String(16), nullable=False),
    Column("not_after_s", UNIX_TIME_S, nullable=False),
    Column("status", String(16), nullable=False),  # good, suspended, revoked
    Column("reason", String(32), nullable=False),  # empty while good
    Column("changed_at_s", UNIX_TIME_S, nullable=False),
    Column("row_version", BigInteger, nullable=False),
    Column("mac", HASH, nullable=False),
    Index(
        "ix_certificate_statuses_not_good",
        "issuer",
        "serial",
        sqlite_where=text("status <> 'good'"),
        postgresql_where=text("status <> 'good'"),
    ),
)

# The system's own certificates, each of a key in the token; nothing secret.
own_certificates: Final = Table(
    "own_certificates",
    metadata,
    Column("label", LABEL, primary_key=True),
    Column("certificate", LargeBinary, nullable=False),  # DER
    Column("row_version", BigInteger, nullable=False),
    Column("mac", HASH, nullable=False),
)

# How often the statuses under an issuer changed, and what its newest CRL has seen of it. Not under
# a MAC: a CRL is signed, and these numbers can at most delay the next one to its schedule.
crl_heads: Final = Table(
    "crl_heads",
    metadata,
    Column("issuer", LABEL, primary_key=True),
    Column("changes", BigInteger, nullable=False),
    Column("seen_changes", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),  # 0: none made yet
    Column("made_at_s", UNIX_TIME_S, nullable=False),
)

# The newest CRL of an issuer, apart from its head: a megabyte is not written for every change.
crls: Final = Table(
    "crls",
    metadata,
    Column("issuer", LABEL, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("der", LargeBinary, nullable=False),
)

# The latest time that a timestamp may have named: after a restart, too, none names an earlier one.
timestamp_clock: Final = Table(
    "timestamp_clock",
    metadata,
    Column("id", ID, primary_key=True),  # zeros
    Column("at_ms", BigInteger, nullable=False),
)
