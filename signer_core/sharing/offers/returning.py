"""The way back to the browser on the phone itself, once the offer is approved."""

from dataclasses import dataclass

from signer_core.errors import NotFoundError
from signer_core.protocol.offer_link import return_link
from signer_core.sharing.offers.model import OfferStatus
from signer_core.signing.model import Clock, Request
from signer_core.storage.signer.offers import Offers


@dataclass(frozen=True, slots=True)
class Returning:
    """Gives return links to the phone that approved."""

    offers: Offers
    public_url: str  # of the portal, without a slash at its end
    clock: Clock

    async def link_of(self, request: Request) -> str:
        """Return the link for a request of the phone's own key; empty where there is none.

        Raises:
            NotFoundError: it is not approved.
        """
        offer_id = request.content.offer_id
        if offer_id is None:
            return ""
        offer = await self.offers.get(offer_id)
        status = offer.status_at(int(self.clock().timestamp()))
        if status not in (OfferStatus.APPROVED, OfferStatus.CONSUMED):
            raise NotFoundError(f"there is no way back yet: the offer is {status}")
        if not offer.content.same_device:
            return ""
        return return_link(self.public_url, offer_id, offer.link_secret)
