"""Looking a partner up: its row in the database, its record verified under the registry's key."""

from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import DeniedError, NotFoundError, VerificationError
from signer_core.identity.relying_party import verify_relying_party
from signer_core.signing.relying_parties import RegistryRecord
from signer_core.storage.signer.partners import PartnerRow, Partners

_REMEMBERED: Final = 4096  # verified records: 0.1 ms each, and a record never changes its meaning


class PartnerDirectory:
    """`RelyingParties` of the database: what was suspended is so at the next look."""

    def __init__(self, partners: Partners, registry: ec.EllipticCurvePublicKey) -> None:
        self.partners = partners
        self._verified = lru_cache(maxsize=_REMEMBERED)(
            lambda record: RegistryRecord(verify_relying_party(record, registry), record)
        )

    async def get(self, relying_party_id: str) -> RegistryRecord:
        """See `RelyingParties.get`.

        Raises:
            VerificationError: its row in the database is not what the registry signed.
        """
        return (await self.look(relying_party_id))[0]

    async def look(self, partner_id: str) -> tuple[RegistryRecord, PartnerRow]:
        """Return the verified record and the row; raises as `get`."""
        row = await self.partners.find(partner_id)
        if row is None:
            raise NotFoundError("no such relying party in the registry")
        if not row.active:
            raise DeniedError("this relying party is suspended")
        return self.verify(row.partner_id, row.record), row

    def verify(self, partner_id: str, record: str) -> RegistryRecord:
        """Check that a record is the registry's, and about this partner.

        Raises:
            VerificationError: it is not.
        """
        verified = self._verified(record)
        if verified.party.id != partner_id:
            raise VerificationError("the relying party's record is another one's")
        return verified
