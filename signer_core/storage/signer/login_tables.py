"""Tables of logins: what is a secret of somebody's is here as its hash only."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from signer_core.storage.signer.tables import metadata

# Authorization requests that partners have pushed, each until it is taken, at most 60 s.
login_requests: Final = Table(
    "login_requests",
    metadata,
    Column("reference_hash", LargeBinary(32), primary_key=True),
    Column("client_id", String(64), nullable=False),
    Column("parameters", Text, nullable=False),  # JSON
    Column("expires_at_s", BigInteger, nullable=False),
    Index("login_requests_by_end", "expires_at_s"),
)

# Client assertions that were used, each until it expires, at most an hour.
login_assertions: Final = Table(
    "login_assertions",
    metadata,
    Column("assertion_hash", LargeBinary(32), primary_key=True),
    Column("expires_at_s", BigInteger, nullable=False),
    Index("login_assertions_by_end", "expires_at_s"),
)

# Logins, from the code to the end of the access token.
logins: Final = Table(
    "logins",
    metadata,
    Column("login_id", LargeBinary(16), primary_key=True),  # of the offer
    Column("client_id", String(64), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", String(128), nullable=False),
    Column("nonce", Text, nullable=False),
    Column("code_challenge", String(43), nullable=False),
    Column("auth_time_s", BigInteger, nullable=False),
    Column("claims", Text, nullable=False),  # JSON: sub, and what the person agreed to tell
    Column("signature", Text, nullable=False),  # JSON: what was signed, for the ID token
    Column("code_hash", LargeBinary(32), nullable=False),
    Column("code_expires_at_s", BigInteger, nullable=False),
    Column("redeemed_at_s", BigInteger),
    Column("token_hash", LargeBinary(32)),
    Column("token_expires_at_s", BigInteger),
    Column("ended", Integer, nullable=False),  # 1: by its partner, or by a code used twice
    Column("keep_until_s", BigInteger, nullable=False),
    Index("logins_by_code", "code_hash", unique=True),
    Index("logins_by_token", "token_hash", unique=True),
    Index("logins_by_end", "keep_until_s"),
)
