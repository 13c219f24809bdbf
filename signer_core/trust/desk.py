"""The signer's trust desk: it asks the vault, and keeps what may be kept."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field

from signer_core.trust.ports import Crl, TrustServices


@dataclass(frozen=True, slots=True)
class TrustDesk:
    """Passes questions on. Of answers it keeps only CRLs, each as long as the vault has no newer.

    OCSP answers are not kept here: a revocation is to be visible at once.
    """

    vault: TrustServices
    _crls: MutableMapping[str, Crl] = field(default_factory=dict)

    async def certificate(self, name: str) -> bytes:
        """See `TrustServices.certificate`."""
        return await self.vault.certificate(name)

    async def crl(self, issuer: str, known_number: int = 0) -> Crl | None:
        """See `TrustServices.crl`; megabytes cross the wire once for each new CRL."""
        kept = self._crls.get(issuer)
        newer = await self.vault.crl(issuer, kept.number if kept else 0)
        newest = newer or kept
        if newer is not None:
            self._crls[issuer] = newer
        return None if newest is None or newest.number == known_number else newest

    async def answer_ocsps(self, requests: Sequence[bytes]) -> Sequence[bytes]:
        """See `TrustServices.answer_ocsps`."""
        return await self.vault.answer_ocsps(requests)

    async def timestamp(self, request: bytes) -> bytes:
        """See `TrustServices.timestamp`."""
        return await self.vault.timestamp(request)
