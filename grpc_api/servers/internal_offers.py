"""OffersService: what the portal asks of the signer for partners."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from grpc_api.gen.signer.internal.v1 import offers_pb2 as wire
from grpc_api.gen.signer.internal.v1 import offers_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.interceptors.peer import peer_names
from grpc_api.servers.offer_upload import OfferUpload
from signer_core.errors import InvalidRequestError, UnavailableError
from signer_core.identifiers import OfferId
from signer_core.sharing.offers.collect import Collecting
from signer_core.sharing.offers.create import OfferCreation
from signer_core.sharing.offers.model import Offer, OfferState, OfferStatus
from signer_core.sharing.offers.withdraw import Withdrawal
from signer_core.signing.collect import Collection
from signer_core.signing.model import Clock
from signer_core.signing.notices import Notices
from signer_core.storage.signer.offers import Offers

CREATE_LIMIT_S: Final = 120.0  # 100 MiB over a slow internal link
POLL_S: Final = 5.0  # another signer process on SQLite; on PostgreSQL it is told (announcements)
ASK_AGAIN_S: Final = 30.0  # the vault knows of a signature whose signer died before it collected
SERVICE: Final = "signer.internal.v1.OffersService"


@dataclass(frozen=True, slots=True)
class OffersServicer(services.OffersServiceServicer):
    """Makes, shows and withdraws offers, and gives out what they brought."""

    offers: Offers
    creation: OfferCreation
    withdrawal: Withdrawal
    collecting: Collecting
    collection: Collection
    notices: Notices
    clock: Clock

    @override
    async def CreateOffer(
        self, request_iterator: AsyncIterator[wire.CreateOfferRequest], context: Context
    ) -> wire.CreateOfferResponse:
        """Make an offer."""
        caller = ",".join(sorted(peer_names(context)))
        try:
            async with asyncio.timeout(CREATE_LIMIT_S):
                upload = OfferUpload()
                async for message in request_iterator:
                    upload.take(message)
                offer = await self.creation.create(upload.finish(caller))
        except TimeoutError:
            raise UnavailableError("the documents took too long: try again") from None
        return wire.CreateOfferResponse(
            offer_id=offer.offer_id,
            expires_at_s=offer.expires_at_s,
            link_secret=offer.link_secret,
        )

    @override
    async def GetOffer(
        self, request: wire.GetOfferRequest, context: Context
    ) -> wire.GetOfferResponse:
        """Tell the state of an offer, asking the vault if it is on a phone."""
        offer = await self._fresh(parse_offer_id(request.offer_id))
        content = offer.content
        return wire.GetOfferResponse(
            state=_state_message(offer.state_at(self._now_s())),
            relying_party_id=content.relying_party_id,
            kind=content.kind,
            purpose=content.purpose,
            return_address=content.return_address,
            same_device=content.same_device,
            link_secret=offer.link_secret,
        )

    @override
    async def WatchOffer(
        self, request: wire.WatchOfferRequest, context: Context
    ) -> AsyncIterator[wire.WatchOfferResponse]:
        """Send the state now and at each change, until it is final."""
        offer_id = parse_offer_id(request.offer_id)
        sent: OfferState | None = None
        with self.notices.watch(offer_id) as bell:
            offer = await self._fresh(offer_id)
            asked_s = time.monotonic()
            while True:
                state = offer.state_at(self._now_s())
                if state != sent:
                    yield wire.WatchOfferResponse(state=_state_message(state))
                    sent = state
                if state.status.is_final:
                    return
                await bell.wait(self._patience_s(offer))
                offer = await self.offers.get(offer_id)
                if self._is_over(offer) or time.monotonic() - asked_s > ASK_AGAIN_S:
                    offer = await self._fresh(offer_id)  # it may be signed in its last second
                    asked_s = time.monotonic()

    @override
    async def WithdrawOffer(
        self, request: wire.WithdrawOfferRequest, context: Context
    ) -> wire.WithdrawOfferResponse:
        """Withdraw an offer that nobody has approved."""
        await self.withdrawal.withdraw(parse_offer_id(request.offer_id))
        return wire.WithdrawOfferResponse()

    @override
    async def CollectOffer(
        self, request: wire.CollectOfferRequest, context: Context
    ) -> wire.CollectOfferResponse:
        """Give out the result, to one collector; one signed a moment ago is finished first."""
        offer_id = parse_offer_id(request.offer_id)
        await self._fresh(offer_id)
        result = await self.collecting.collect(offer_id, request.collector, request.return_code)
        person, *chain = result.certificates or (b"",)
        self.notices.tell(offer_id)
        return wire.CollectOfferResponse(
            signatures=[
                wire.SignedFile(name=one.name, file_hash=one.file_hash, signature=one.signature)
                for one in result.signatures
            ],
            certificate=person,
            chain=chain,
            approved_at_s=result.approved_at_s,
            antibot_token=result.antibot_token,
        )

    async def _fresh(self, offer_id: OfferId) -> Offer:
        offer = await self.offers.get(offer_id)
        if offer.claimed is None or offer.status_at(self._now_s()) not in _ASKED:
            return offer
        await self.collection.refresh(offer.claimed.request_id)
        return await self.offers.get(offer_id)

    def _patience_s(self, offer: Offer) -> float:
        """Return how long to wait for a change: until the next look, or the end of its time."""
        return min(POLL_S, max(0.1, offer.expires_at_s - self.clock().timestamp()))

    def _is_over(self, offer: Offer) -> bool:
        return self._now_s() >= offer.expires_at_s

    def _now_s(self) -> int:
        return int(self.clock().timestamp())


# One that expired by its time may have been signed in its last second.
_ASKED: Final = (OfferStatus.SHOWN, OfferStatus.EXPIRED)


def parse_offer_id(raw: bytes) -> OfferId:
    """Return an offer id.

    Raises:
        InvalidRequestError: it has not 16 bytes.
    """
    if len(raw) != 16:
        raise InvalidRequestError("an offer id has 16 bytes")
    return OfferId(raw)


def _state_message(state: OfferState) -> wire.OfferState:
    return wire.OfferState(
        status=wire.OfferStatus.Value(f"OFFER_STATUS_{state.status.name}"),
        expires_at_s=state.expires_at_s,
        decline_reason=state.decline_reason,
        verification_number=state.verification_number,
    )
