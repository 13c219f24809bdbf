"""What the seal service wants of the vault and the timestamp authority; the vault reads it too."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_ATTRIBUTES: int = 1024  # in one call to the vault
MAX_CALLERS: int = 16


@dataclass(frozen=True, slots=True)
class SealCertificate:
    """The certificate of a seal with its issuers, all DER."""

    chain: tuple[bytes, ...]  # the seal's first, then the issuing CA; without the root


class VaultSeals(Protocol):
    """Seal keys. `callers` are the names of who asked the signer, for the rule and the audit."""

    async def get(self, seal_id: str, callers: Collection[str]) -> SealCertificate:
        """Return the certificate of a seal.

        Raises:
            DeniedError: none of the callers may use this seal, or there is none: audited.
        """
        ...

    async def sign(
        self, seal_id: str, callers: Collection[str], attributes: Sequence[bytes]
    ) -> tuple[bytes, ...]:
        """Sign attributes (SET OF, DER; 1 to 1024 of them): ECDSA signatures in DER, in order.

        All are signed or none.

        Raises:
            DeniedError: as `get`.
            VerificationError: one of them is not the attributes of a seal, or names another
                certificate than this seal's newest: `get` it again.
        """
        ...


class Timestamper(Protocol):
    """The timestamp authority."""

    async def timestamp(self, digest: bytes) -> bytes:
        """Return a TimeStampToken (DER) of a SHA-256 digest (32 bytes), not yet verified.

        Raises:
            UnavailableError: it is away.
        """
        ...
