"""What else happens when an offer is approved, in the transaction that approves it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.identifiers import OfferId
from signer_core.observe.metrics import OFFERS
from signer_core.sharing.offers.model import Offer, OfferStatus
from signer_core.signing.model import Request
from signer_core.storage.signer.offers import Offers
from signer_core.storage.signer.requests import ConsumedHook

# Called with the transaction and the offer, approved as that transaction sees it. What it writes
# is there exactly if the approval is; an error undoes both, and the collection is repeated.
ApprovedHook = Callable[[AsyncConnection, Offer], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Approvals:
    """Tells the hooks of requests that came of offers."""

    offers: Offers
    hooks: Sequence[ApprovedHook]

    def of(self, request: Request) -> tuple[ConsumedHook, ...]:
        """Return what belongs into the transaction that marks this request consumed."""
        offer_id = request.content.offer_id
        if offer_id is None:
            return ()

        async def tell(connection: AsyncConnection) -> None:
            await self._tell(connection, offer_id)

        return (tell,)

    async def _tell(self, connection: AsyncConnection, offer_id: OfferId) -> None:
        offer = await self.offers.get_in(connection, offer_id)
        for hook in self.hooks:
            await hook(connection, offer)
        OFFERS.labels(offer.content.kind, OfferStatus.APPROVED).inc()
