"""Tables of the audit log, of the jobs for the worker, and of sources that are shut out."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from signer_core.storage.signer.tables import metadata

_COUNTER: Final = BigInteger().with_variant(Integer, "sqlite")

# Events that are committed and not in the log yet: for a moment.
audit_outbox: Final = Table(
    "audit_outbox",
    metadata,
    Column("id", _COUNTER, primary_key=True),
    Column("event_id", LargeBinary(16), nullable=False),
    Column("at_s", BigInteger, nullable=False),
    Column("event", String(64), nullable=False),
    Column("result", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("actor_kind", String(16), nullable=False),
    Column("actor_id", String(128), nullable=False),
    Column("source", String(64), nullable=False),
    Column("correlation_id", String(32), nullable=False),
    Column("key_id", LargeBinary(16)),
    Column("request_id", LargeBinary(16)),
)

# The log. What counts is `leaf`; the other columns are there to find it.
audit_log: Final = Table(
    "audit_log",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # from 0, without gaps
    Column("event_id", LargeBinary(16), nullable=False, unique=True),
    Column("at_s", BigInteger, nullable=False),
    Column("event", String(64), nullable=False),
    Column("actor_id", String(128), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("correlation_id", String(32), nullable=False),
    Column("key_id", LargeBinary(16)),
    Column("request_id", LargeBinary(16)),
    Column("leaf", LargeBinary, nullable=False),  # canonical bytes of the event
    Column("leaf_hash", LargeBinary(32), nullable=False),
    Index("audit_of_a_key", "key_id", "seq"),
    Index("audit_of_a_request", "request_id", "seq"),
    Index("audit_of_an_event", "event", "seq"),
)

# Whole subtrees of 256, 65536, ... leaves: what proofs are made of beside the leaves.
audit_nodes: Final = Table(
    "audit_nodes",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),  # 8, 16, 24, ...
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), nullable=False),
)

# Where the tree stands: one row, id 1.
audit_tree: Final = Table(
    "audit_tree",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # 32 bytes a subtree, the largest first
)

audit_checkpoints: Final = Table(
    "audit_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("signed_at_s", BigInteger, nullable=False),
    Column("checkpoint", Text, nullable=False),  # signed note
)

# The transactional outbox of the worker.
job_outbox: Final = Table(
    "job_outbox",
    metadata,
    Column("id", _COUNTER, primary_key=True),
    Column("job_id", LargeBinary(16), nullable=False, unique=True),
    Column("kind", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),  # JSON
    Column("created_at_s", BigInteger, nullable=False),
    Column("fetched", Integer, nullable=False),  # signer_core.storage.signer.jobs: WAITS, ...
    Column("again", Integer, nullable=False),  # 1: an officer wants it tried once more
    Column("ended_at_s", BigInteger),
    Column("reason", String(200)),  # why it was given up
    Index("jobs_waiting", "fetched", "id"),
)

# Sources with a burst of wrong PINs.
source_blocks: Final = Table(
    "source_blocks",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("until_s", BigInteger, nullable=False),
)

# Wrong PINs of the last ten minutes, by where they came from.
wrong_pins: Final = Table(
    "wrong_pins",
    metadata,
    Column("id", _COUNTER, primary_key=True),
    Column("source", String(64), nullable=False, index=True),
    Column("at_s", BigInteger, nullable=False, index=True),
)
