"""Approved offers, as login takes their results (`ApprovedOffers`)."""

from dataclasses import dataclass

from signer_core.errors import DeniedError, InvalidRequestError
from signer_core.identifiers import OfferId
from signer_core.login.ports import SignedChallenge
from signer_core.protocol.request_kind import RequestKind
from signer_core.sharing.offers.collect import Collecting
from signer_core.storage.signer.offers import Offers


@dataclass(frozen=True, slots=True)
class CollectedOffers:
    """Collects offers of kind "auth"."""

    offers: Offers
    collecting: Collecting

    async def collect(
        self, offer_id: bytes, collector: bytes, return_code: bytes
    ) -> SignedChallenge:
        """See `ApprovedOffers.collect`."""
        offer = await self.offers.get(OfferId(offer_id))
        if offer.content.kind is not RequestKind.AUTH:
            raise InvalidRequestError("this offer is not for signing in")
        result = await self.collecting.collect(OfferId(offer_id), collector, return_code)
        if len(result.signatures) != 1:
            raise DeniedError("the person has signed something else")
        (signed,) = result.signatures
        return SignedChallenge(
            client_id=offer.content.relying_party_id,
            challenge=signed.file_hash,
            cades=signed.signature,
            chain=result.certificates,
            approved_at_s=result.approved_at_s,
        )
