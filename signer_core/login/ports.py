"""What login asks of the vault: its keys sign ID tokens, and nobody else can."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from signer_core.admin.officers import Grounds, OfficerClaim

MAX_PAYLOAD_BYTES: int = 64 * 1024  # of an ID token, JSON


class KeyRole(StrEnum):
    """What a login key is for now."""

    CURRENT = "current"  # signs
    NEXT = "next"  # published, so that whoever keeps the list knows it before it signs
    PREVIOUS = "previous"  # signs no more; what it signed is still checked


@dataclass(frozen=True, slots=True)
class LoginKey:
    """A key that is published."""

    kid: str  # label of the key in the token: "login-1"
    role: KeyRole
    public_key: bytes  # 65 bytes, uncompressed point on P-256 (SEC 1 §2.3.3)


@dataclass(frozen=True, slots=True)
class LoginKeys:
    """The published keys, and when they last changed their roles."""

    keys: tuple[LoginKey, ...]
    rotated_at_s: int  # Unix time


class VaultLogin(Protocol):
    """The vault, as the signer sees it."""

    async def keys(self) -> Sequence[LoginKey]:
        """Return the published keys, the current one first."""
        ...

    async def sign_id_token(self, payload: bytes) -> str:
        """Sign an ID token (JSON, at most 64 KiB); return a compact JWS with ES256.

        The vault makes the header itself.

        Raises:
            InvalidRequestError: not an ID token of this deployment: another issuer, a wrong type,
                or it lives for more than 10 minutes.
        """
        ...

    async def pairwise_subject(self, sector: str, person_code: str) -> bytes:
        """Return what stands for a person (32 bytes) towards one sector, and says nothing else."""
        ...


@dataclass(frozen=True, slots=True)
class SignedChallenge:
    """What an approved offer of kind "auth" has given."""

    client_id: str  # the relying party that made the offer
    challenge: bytes  # 32 bytes, SHA-256 of the statement
    cades: bytes = field(repr=False)  # DER, detached
    chain: tuple[bytes, ...]  # DER: the person's certificate, then its issuers, the root last
    approved_at_s: int  # Unix time


class ApprovedOffers(Protocol):
    """Offers, as login takes their results."""

    async def collect(
        self, offer_id: bytes, collector: bytes, return_code: bytes
    ) -> SignedChallenge:
        """Collect an approved offer of kind "auth"; the same collector may repeat it.

        Raises:
            NotFoundError: no such offer.
            DeniedError: another collector has it, the return code is wrong, or it is not approved.
            InvalidRequestError: it is of another kind.
        """
        ...


class LoginKeyAdmin(Protocol):
    """The keys, as officers see them at the vault."""

    async def login_keys(self, claim: OfficerClaim) -> LoginKeys:
        """Return the published keys."""
        ...

    async def rotate_login_key(
        self, claim: OfficerClaim, grounds: Grounds, *, drop: bool
    ) -> LoginKeys:
        """Let the next key sign, and make another next one.

        With `drop` the old one is not published any more: what it signed is worth nothing.

        Raises:
            InvalidRequestError: the next key is too new, others may not know it yet.
        """
        ...
