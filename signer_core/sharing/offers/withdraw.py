"""Withdrawing an offer, before or after a phone has opened it."""

from dataclasses import dataclass

from signer_core.errors import InvalidRequestError, UnavailableError
from signer_core.identifiers import OfferId
from signer_core.sharing.offers.model import Offer, OfferStatus
from signer_core.signing.close import Closing
from signer_core.signing.model import Clock
from signer_core.signing.notices import Notices
from signer_core.storage.signer.offers import Offers
from signer_core.storage.signer.requests import Requests


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Withdraws offers."""

    offers: Offers
    requests: Requests
    closing: Closing
    notices: Notices
    clock: Clock

    async def withdraw(self, offer_id: OfferId) -> None:
        """Withdraw an offer that nobody has approved; repeating it is harmless.

        Raises:
            NotFoundError: no such offer.
            InvalidRequestError: it is over, or being signed.
            UnavailableError: the vault is away; repeat it.
        """
        if await self.offers.withdraw(offer_id):
            self.notices.tell(offer_id)
            return
        offer = await self.offers.get(offer_id)
        status = offer.status_at(int(self.clock().timestamp()))
        if status is OfferStatus.WITHDRAWN:
            return
        await self._close(offer, status)

    async def _close(self, offer: Offer, status: OfferStatus) -> None:
        if status is OfferStatus.OPEN:  # claimed, and not at the vault yet
            raise UnavailableError("a phone is opening this offer now: try again")
        if status is not OfferStatus.SHOWN or offer.claimed is None:
            raise InvalidRequestError(f"the offer is not open any more: it is {status}")
        await self.closing.withdraw(await self.requests.get(offer.claimed.request_id))
