"""What the signer asks the vault about partners: the vault's word is the only one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

MAX_PAGE: Final = 200  # partners in one answer: 4 KiB each
MAX_DESCRIPTION: Final = 8192  # bytes of a description as JSON


@dataclass(frozen=True, slots=True)
class VaultPartner:
    """A partner as the vault keeps it."""

    partner_id: str
    record: str = field(repr=False)  # compact JWS; the newest that was signed
    active: bool  # False: suspended
    changed_at_s: int  # Unix time
    sandbox: bool  # made by a developer's own hand, not by an officer
    altered: bool = False  # the row is not as the vault wrote it: nothing else is said


class VaultPartners(Protocol):
    """Partners, for the signer."""

    async def find(self, partner_id: str) -> VaultPartner | None:
        """Return a partner, None where there never was one.

        Raises:
            VerificationError: the vault's row was altered.
        """
        ...

    async def page(self, after: str, limit: int) -> Sequence[VaultPartner]:
        """Return up to `limit` (1 to 200) partners in the order of their ids."""
        ...

    async def sign_sandbox(self, description: str) -> VaultPartner:
        """Sign a record of the sandbox from its claims as JSON (at most 8 KiB), once an id.

        Raises:
            DeniedError: this vault has no sandbox.
            InvalidRequestError: it does not say that it is made up, or is malformed, or is there.
            UnavailableError: the sandbox is full.
        """
        ...
