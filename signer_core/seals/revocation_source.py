"""What the seal service wants of the trust services for a level that lasts."""

from collections.abc import Sequence
from typing import Protocol

from signer_core.documents import Evidence


class RevocationSource(Protocol):
    """What tells whether certificates are good."""

    async def evidence(self, chain: Sequence[bytes]) -> Evidence:
        """Return what proves that a chain (DER, leaf first) is good now.

        Raises:
            UnavailableError: it is away.
            VerificationError: one of the certificates is not good.
        """
        ...
