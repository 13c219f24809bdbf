"""Offers of a signer that is not there: what the portal's pages need, moved by the test."""

import asyncio
import dataclasses
import secrets
import time
from collections.abc import Callable

from grpc_api.clients.offers import CreatedOffer, NewOffer, OfferState, OfferStatus, OfferView
from signer_core.errors import InvalidRequestError, NotFoundError, SignerError
from signer_core.identifiers import OfferId


class FakeOffers:
    """The methods of `OffersClient`; `fails` is raised instead of every answer."""

    def __init__(
        self,
        now_s: Callable[[], float] = time.time,
        token_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._now_s, self._token_bytes = now_s, token_bytes
        self.fails: SignerError | None = None
        self.offers: dict[OfferId, OfferView] = {}
        self._changed = asyncio.Condition()
        self.watching = 0

    async def create(self, offer: NewOffer) -> CreatedOffer:
        self._answer()
        offer_id, secret = OfferId(self._token_bytes(16)), self._token_bytes(32)
        state = OfferState(OfferStatus.OPEN, int(self._now_s()) + (offer.ttl_s or 180))
        self.offers[offer_id] = OfferView(
            state=state,
            relying_party_id=offer.relying_party_id,
            kind=offer.kind,
            purpose=offer.purpose,
            return_address=offer.return_address,
            same_device=offer.same_device,
            link_secret=secret,
        )
        return CreatedOffer(offer_id, state.expires_at_s, secret)

    async def get(self, offer_id: OfferId) -> OfferView:
        self._answer()
        if offer_id not in self.offers:
            raise NotFoundError("no such offer")
        return self.offers[offer_id]

    async def watch(self, offer_id: OfferId):
        told = None
        self.watching += 1
        try:
            while told is None or not told.status.is_final:
                state = (await self.get(offer_id)).state
                if state != told:
                    told = state
                    yield state
                    continue
                async with self._changed:
                    await self._changed.wait()
        finally:
            self.watching -= 1

    async def withdraw(self, offer_id: OfferId) -> None:
        if (await self.get(offer_id)).state.status.is_final:
            raise InvalidRequestError("the offer is over")
        await self.become(offer_id, OfferStatus.WITHDRAWN)

    async def become(self, offer_id: OfferId, status: OfferStatus, **state) -> None:
        """Let the phone, or time, have done something."""
        offer = self.offers[offer_id]
        changed = dataclasses.replace(offer.state, status=status, **state)
        self.offers[offer_id] = dataclasses.replace(offer, state=changed)
        await self.tell()

    async def tell(self) -> None:
        """Wake whoever watches: something changed, perhaps `fails`."""
        async with self._changed:
            self._changed.notify_all()

    def _answer(self) -> None:
        if self.fails is not None:
            raise self.fails
