"""The tables, as Alembic made them (`migrations/`); a test compares the two."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(column_0_label)s",
    }
)

ID: Final = LargeBinary(16)
HASH: Final = LargeBinary(32)
SID: Final = LargeBinary(32)
UNIX_TIME_S: Final = BigInteger
# A column that came after rows had their MAC: left out of it while empty, so that they keep it.
LATER: Final[dict[Any, Any]] = {"later": True}

# The state of a key (docs/spec/ecdsa2p.md §7). Changes with every try.
keys: Final = Table(
    "keys",
    metadata,
    Column("key_id", ID, primary_key=True),
    Column("device_key_hash", HASH, nullable=False),
    Column("authorisation_hash", HASH, nullable=False),
    Column("public_key", LargeBinary(33), nullable=False),  # Q, compressed
    Column("certificate_sha256", HASH),
    Column("status", String(16), nullable=False),  # active, suspended, retired, restored
    Column("failed", Integer, nullable=False),
    Column("lifetime_failed", Integer, nullable=False),
    Column("hold_until_s", UNIX_TIME_S, nullable=False),  # 0: no wait
    Column("unresolved", Integer, nullable=False),
    Column("live_sid", SID),
    Column("judging_sid", SID),
    Column("judging_process", String(64)),
    Column("judging_request_id", ID),
    Column("judging_deadline_s", UNIX_TIME_S),
    Column("generation", BigInteger, nullable=False),
    Column("share_sha256", HASH, nullable=False),  # of the wrapped share record
    Column("epoch", BigInteger, nullable=False),
    Column("epoch_key", LargeBinary(60), nullable=False),  # wrapped
    Column("previous_epoch_key", LargeBinary(60)),  # wrapped
    Column("epoch_shown", Integer, nullable=False),  # 1: the device proved that it has epoch_key
    Column("last_sid", SID),  # of the last success
    Column("kek_id", String(64), nullable=False),  # of the epoch keys
    # the generation beside it, one higher, until its first success; all or none
    Column("next_share_sha256", HASH, info=LATER),
    Column("next_epoch", BigInteger, info=LATER),
    Column("next_epoch_key", LargeBinary(60), info=LATER),
    Column("next_previous_epoch_key", LargeBinary(60), info=LATER),
    Column("next_epoch_shown", Integer, info=LATER),
    Column("next_last_sid", SID, info=LATER),
    Column("next_kek_id", String(64), info=LATER),
    Column("person_mac", HASH, info=LATER, index=True),  # whose it is, under the token's key
    Column("suspend_code_hash", HASH, info=LATER, index=True, unique=True),
    Column("ended_by", String(64), info=LATER),  # why it was suspended or retired
    Column("refresh_from", BigInteger, info=LATER),  # the lowest generation that may still sign
    Column("signatures", BigInteger, nullable=False),  # made since enrolment
    Column("row_version", BigInteger, nullable=False),  # rises by one a write
    Column("mac", HASH, nullable=False),
)

# One wrapped share record a generation; its hash is in the key's row.
share_records: Final = Table(
    "share_records",
    metadata,
    Column("key_id", ID, ForeignKey("keys.key_id"), primary_key=True),
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("kek_id", String(64), nullable=False),
    Column("blob", LargeBinary, nullable=False),
)

# What may be signed, and what was: the arbiter of "signed once".
requests: Final = Table(
    "requests",
    metadata,
    Column("request_id", ID, primary_key=True),
    Column("key_id", ID, ForeignKey("keys.key_id"), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("request_hash", HASH, nullable=False),
    Column("file_hashes", LargeBinary, nullable=False),  # 32 bytes each, in order
    Column("expires_at_s", UNIX_TIME_S, nullable=False),
    Column("state", String(16), nullable=False),  # open, reserved, consumed, burned
    Column("items", LargeBinary),  # what was signed, once consumed
    Column("row_version", BigInteger, nullable=False),
    Column("mac", HASH, nullable=False),
)

# An enrolment authorisation makes one key, once.
consumed_authorisations: Final = Table(
    "consumed_authorisations",
    metadata,
    Column("jti", ID, primary_key=True),
    Column("key_id", ID, nullable=False),
    Column("consumed_at_s", UNIX_TIME_S, nullable=False),
)

# A person's certificate names the person: wrapped. Its hash is in the key's row.
certificates: Final = Table(
    "certificates",
    metadata,
    Column("key_id", ID, ForeignKey("keys.key_id"), primary_key=True),
    Column("kek_id", String(64), nullable=False),
    Column("blob", LargeBinary, nullable=False),
)

# How far the file of high-water marks had come at the last start or compaction: one row.
mark_heads: Final = Table(
    "mark_heads",
    metadata,
    Column("id", ID, primary_key=True),  # zeros
    Column("file_number", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", HASH, nullable=False),  # of that many bytes
    Column("row_version", BigInteger, nullable=False),
    Column("mac", HASH, nullable=False),
)

# Events for the audit log and for whoever revokes; ids and codes only.
outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at_s", UNIX_TIME_S, nullable=False),
    Column("event", String(64), nullable=False),
    Column("key_id", LargeBinary(16)),
    Column("request_id", LargeBinary(16)),
    Column("result", String(64), nullable=False),
    Column("event_id", LargeBinary(16), index=True, unique=True),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("subject", String(128), nullable=False, server_default=""),
    Column("actor_kind", String(16), nullable=False, server_default=""),
    Column("actor_id", String(128), nullable=False, server_default=""),
    Column("source", String(64), nullable=False, server_default=""),
    Column("correlation_id", String(32), nullable=False, server_default=""),
    Column("acknowledged_at_s", UNIX_TIME_S),  # when the signer had it; kept a week longer
)
_WAITING: Final = outbox.c.acknowledged_at_s.is_(None)
Index("ix_outbox_waiting", outbox.c.id, sqlite_where=_WAITING, postgresql_where=_WAITING)
