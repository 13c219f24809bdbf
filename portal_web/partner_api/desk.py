"""What the partner API does with offers: each partner sees its own and no other."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from grpc_api.clients.offers import CreatedOffer, NewOffer, OfferResult, OfferView
from grpc_api.clients.partners import Partner
from portal_web.partner_api.bodies import CollectBody, Links, NewOfferBody, OfferBody, ResultBody
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import OfferId

_ID: Final = re.compile("[0-9a-f]{32}")
_COLLECTOR: Final = b"diia-signer/partner-api/v1/collector\0"

FindLinks = Callable[[Partner, OfferId, OfferView], Links]
"""Where a partner's offer is opened."""


class Offers(Protocol):
    """The part of `grpc_api.clients.offers.OffersClient` that is needed here."""

    async def create(self, offer: NewOffer) -> CreatedOffer:
        """Make an offer."""
        ...

    async def get(self, offer_id: OfferId) -> OfferView:
        """Return an offer and its state."""
        ...

    async def withdraw(self, offer_id: OfferId) -> None:
        """Withdraw an offer that nobody has approved."""
        ...

    async def collect(
        self, offer_id: OfferId, collector: bytes, return_code: bytes = b""
    ) -> OfferResult:
        """Take the result of an approved offer."""
        ...


@dataclass(frozen=True, slots=True)
class OfferDesk:
    """Offers of partners; every method raises SignerError as the signer does."""

    offers: Offers
    links: FindLinks

    async def create(self, partner: Partner, body: NewOfferBody, key: str) -> OfferBody:
        """Make an offer; the same key and content of the same partner give the same one."""
        made = await self.offers.create(_new_offer(partner, body, key))
        return self._describe(partner, made.offer_id, await self.offers.get(made.offer_id))

    async def get(self, partner: Partner, name: str) -> OfferBody:
        """Return an offer (its id in 32 hexadecimal digits) and its state."""
        offer_id, view = await self._own(partner, name)
        return self._describe(partner, offer_id, view)

    async def withdraw(self, partner: Partner, name: str) -> None:
        """Withdraw an offer that nobody has approved; repeating it is harmless."""
        offer_id, _ = await self._own(partner, name)
        await self.offers.withdraw(offer_id)

    async def collect(self, partner: Partner, name: str, body: CollectBody) -> ResultBody:
        """Take what the person gave; the same partner may repeat it."""
        offer_id, _ = await self._own(partner, name)
        try:
            code = body.code()
        except ValueError:
            raise InvalidRequestError("return_code has 22 characters of base64url") from None
        return ResultBody.make(await self.offers.collect(offer_id, _collector(partner), code))

    async def _own(self, partner: Partner, name: str) -> tuple[OfferId, OfferView]:
        """Return one of the partner's own offers.

        Raises:
            NotFoundError: there is none; another partner's is no different.
        """
        if not _ID.fullmatch(name):
            raise NotFoundError("no such offer")
        offer_id = OfferId(bytes.fromhex(name))
        view = await self.offers.get(offer_id)
        if view.relying_party_id != partner.partner_id:
            raise NotFoundError("no such offer")
        return offer_id, view

    def _describe(self, partner: Partner, offer_id: OfferId, view: OfferView) -> OfferBody:
        return OfferBody.make(offer_id, view.state, self.links(partner, offer_id, view))


def _new_offer(partner: Partner, body: NewOfferBody, key: str) -> NewOffer:
    # The signer tells callers apart by process: two partners' keys must not be the same there.
    own_key = hashlib.sha256(f"{partner.partner_id}\0{key}".encode()).hexdigest()
    return NewOffer(
        relying_party_id=partner.partner_id,
        kind=body.kind,
        purpose=body.purpose,
        idempotency_key=own_key,
        return_address=body.return_address,
        challenge=body.challenge,
        statement=body.statement,
        ttl_s=body.ttl_s,
        same_device=body.same_device,
        person_code=body.person_code,
        files=[file.to_offer() for file in body.files],
    )


def _collector(partner: Partner) -> bytes:
    return hashlib.sha256(_COLLECTOR + partner.partner_id.encode()).digest()
