"""Tables of the signer; the migrations in `migrations/versions` make them.

Times are Unix seconds. Ids, hashes and DER are bytes. Every rule that must hold under
concurrency is a constraint here or one conditional UPDATE in a repository.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

devices = Table(
    "devices",
    metadata,
    Column("key_id", LargeBinary(16), primary_key=True),
    Column("device_key_hash", LargeBinary(32), nullable=False, unique=True),
    Column("enrolled_at_s", BigInteger, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("key_id", LargeBinary(16), ForeignKey("devices.key_id"), primary_key=True),
    Column("serial", LargeBinary(20), nullable=False, unique=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("chain_pem", Text, nullable=False),
    Column("person_code", String(64), nullable=False),
    Column("unzr", String(64)),  # of the register of persons, where the certificate has one
    Column("not_after_s", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),
    CheckConstraint("status IN ('active', 'superseded')", name="certificate_status"),
)
Index(  # a person has one phone that is asked
    "one_active_certificate",
    certificates.c.person_code,
    unique=True,
    sqlite_where=certificates.c.status == "active",
    postgresql_where=certificates.c.status == "active",
)

Index("certificates_of_unzr", certificates.c.unzr)

requests = Table(
    "requests",
    metadata,
    Column("request_id", LargeBinary(16), primary_key=True),
    Column("key_id", LargeBinary(16), ForeignKey("devices.key_id"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("relying_party", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("return_address", Text, nullable=False),
    Column("challenge", LargeBinary(32), nullable=False),
    Column("request_hash", LargeBinary(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("closing", String(16)),  # why the vault is being asked to burn it
    Column("decline_reason", Text, nullable=False),
    Column("created_at_s", BigInteger, nullable=False),
    Column("expires_at_s", BigInteger, nullable=False),
    Column("caller", String(255), nullable=False),
    Column("idempotency_key", String(64), nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("about_key", LargeBinary(16)),  # of a request about a key; it has no files
    Column("replaces", LargeBinary(16)),  # the request whose place this one took
    Column("offer_id", LargeBinary(16)),  # of the offer that it came of
    Column("statement", Text, nullable=False, server_default=""),
    Column("initiator", Text, nullable=False, server_default=""),
    Column("ended_at_s", BigInteger),  # null while it is open, and of requests of before 0007
    UniqueConstraint("caller", "idempotency_key", name="one_request_an_idempotency_key"),
    Index("requests_of_a_key", "key_id", "status", "created_at_s"),
    Index("requests_by_status", "status"),
    Index("one_successor", "replaces", unique=True),
)

request_files = Table(
    "request_files",
    metadata,
    Column("request_id", LargeBinary(16), ForeignKey("requests.request_id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # 0 to 63
    Column("name", Text, nullable=False),
    Column("file_hash", LargeBinary(32), nullable=False),
    Column("to_be_signed", LargeBinary, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("prepared", LargeBinary, nullable=False),
    Column("signed", LargeBinary),  # the whole file, of requests of before 0012
    Column("page", BigInteger),  # of the stamp, 1 is the first, 0 the last; null: invisible
    Column("media_type", String(100), nullable=False, server_default=""),
)

# What `prepared` lacks. A table of its own: to change a row writes the file in it anew.
signatures = Table(
    "signatures",
    metadata,
    Column("request_id", LargeBinary(16), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("cms", LargeBinary, nullable=False),
    ForeignKeyConstraint(
        ["request_id", "position"], ["request_files.request_id", "request_files.position"]
    ),
)
