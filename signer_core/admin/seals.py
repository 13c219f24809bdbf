"""Seals as officers see, make and retire them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from signer_core.admin.officers import Grounds, OfficerClaim
from signer_core.pki.organisation import Organisation


@dataclass(frozen=True, slots=True)
class SealOrder:
    """Whose a seal is, and who may use it."""

    seal_id: str  # 1 to 58 of a-z, 0-9, hyphen
    organisation: Organisation
    callers: frozenset[str]  # DNS names in the certificates of processes


@dataclass(frozen=True, slots=True)
class SealSummary:
    """One seal, as the vault has it."""

    order: SealOrder
    retired_at_s: int = 0  # Unix time, 0: in use
    certificate: bytes = b""  # DER, the newest; empty: none was asked for yet
    status: str = ""  # of that certificate: good, suspended, revoked


class SealAdmin(Protocol):
    """Every method says who asks, as `VaultAdmin`."""

    async def list_seals(self, claim: OfficerClaim) -> Sequence[SealSummary]:
        """Return every seal there ever was."""
        ...

    async def add_seal(
        self, claim: OfficerClaim, order: SealOrder, grounds: Grounds
    ) -> SealSummary:
        """Make key and certificate of a seal, and the rule; of one that is there, the rule anew.

        Raises:
            InvalidRequestError: the order is malformed, or the seal another's, or retired.
        """
        ...

    async def retire_seal(self, claim: OfficerClaim, seal_id: str, grounds: Grounds) -> SealSummary:
        """Revoke a seal's certificates and destroy its key, for good; may be repeated.

        Raises:
            NotFoundError: there is no such seal.
        """
        ...
