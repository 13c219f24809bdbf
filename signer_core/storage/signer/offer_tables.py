"""Tables of offers; the migration `r0007_offers` makes them. Conventions: `tables`."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from signer_core.storage.signer.tables import metadata

offers: Final = Table(
    "offers",
    metadata,
    Column("offer_id", LargeBinary(16), primary_key=True),
    Column("relying_party_id", String(63), nullable=False),
    Column("relying_party", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("return_address", Text, nullable=False),
    Column("challenge", LargeBinary(32), nullable=False),
    Column("statement", Text, nullable=False),
    Column("initiator", Text, nullable=False),
    Column("same_device", Boolean, nullable=False),
    Column("person_code", String(64), nullable=False),  # empty: whoever opens it
    Column("link_secret", LargeBinary(32), nullable=False),
    Column("stored", String(16), nullable=False),
    Column("created_at_s", BigInteger, nullable=False),
    Column("expires_at_s", BigInteger, nullable=False),
    Column("caller", String(255), nullable=False),
    Column("idempotency_key", String(64), nullable=False),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("request_id", LargeBinary(16)),  # that came of it; of a new phone the successor
    Column("key_id", LargeBinary(16)),  # whose phone claimed it
    Column("collector", LargeBinary(32)),
    Column("antibot_token", LargeBinary(32)),
    CheckConstraint("stored IN ('open', 'claimed', 'withdrawn', 'collected')", name="offer_stored"),
    # the idempotency key is the partner's own: two partners may use the same
    UniqueConstraint(
        "caller", "relying_party_id", "idempotency_key", name="one_offer_an_idempotency_key"
    ),
    Index("offers_of_requests", "request_id", unique=True),
)

offer_files: Final = Table(
    "offer_files",
    metadata,
    Column("offer_id", LargeBinary(16), ForeignKey("offers.offer_id"), primary_key=True),
    Column("position", Integer, primary_key=True),  # 0 to 63
    Column("name", Text, nullable=False),
    Column("file_hash", LargeBinary(32), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("document", LargeBinary),  # for reading; null: none
)
