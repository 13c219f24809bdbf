"""Secrets of partners: 256 random bits each, so that a plain hash of one is enough.

A slow hash (Argon2) is for what people choose; nobody finds 32 random bytes from their SHA-256, and
a token endpoint that runs Argon2 for every caller is slow for everybody.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from hmac import compare_digest

from signer_core.audit.events import Event
from signer_core.errors import DeniedError, NotFoundError
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.partners import Partners


def make_secret() -> str:
    """Return a new secret: 32 random bytes as 43 characters of base64url."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def hash_secret(secret: str) -> bytes:
    """Return what is stored of a secret: its SHA-256 (32 bytes)."""
    return hashlib.sha256(secret.encode()).digest()


def verify_secret(secret: str, secret_sha256: bytes | None) -> None:
    """Check a secret, in constant time, against what is stored; None where there is none.

    Raises:
        DeniedError: it is not that, or there is none.
    """
    # the same work where there is none: how long the answer takes tells nothing
    same = compare_digest(hash_secret(secret), secret_sha256 or bytes(32))
    if not same or secret_sha256 is None:
        raise DeniedError("there is no such partner, or this is not its secret")


@dataclass(frozen=True, slots=True)
class Secrets:
    """Makes and checks the secrets of partners."""

    partners: Partners
    outbox: AuditOutbox

    async def make(self, partner_id: str, reason: str) -> str:
        """Make a partner's secret, in place of the one before it; told once.

        Raises:
            NotFoundError: there is no such partner that is active.
        """
        secret = make_secret()
        async with write_transaction(self.partners.engine) as connection:
            if not await self.partners.set_secret(connection, partner_id, hash_secret(secret)):
                raise NotFoundError("there is no such partner, or it is suspended")
            event = Event("partner-secret", "made", reason=reason, subject=partner_id)
            await self.outbox.record(connection, event)
        return secret

    async def verify(self, partner_id: str, secret: str) -> None:
        """Check a partner's secret; nothing tells which partners there are.

        Raises:
            DeniedError: it is not that, or there is no such active partner.
        """
        row = await self.partners.find(partner_id)
        known = row.secret_sha256 if row is not None and row.active else None
        verify_secret(secret, known)
