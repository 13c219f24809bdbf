"""`/api/v1/signing-offers`: make one, look at it, withdraw it. Results come by callback."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final, Protocol

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from grpc_api.clients.offers import CreatedOffer, NewOffer, OfferView
from portal_web.signing_api.body import MAX_BYTES, parse_body
from portal_web.trust.bodies import read_body
from signer_core.errors import DeniedError, NotFoundError
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import same_device_link

_PATH: Final = "/api/v1/signing-offers"
_WHO: Final = {"WWW-Authenticate": 'Basic realm="partners", charset="UTF-8"'}


class Offers(Protocol):
    """The part of `grpc_api.clients.offers.OffersClient` that the API needs."""

    async def create(self, offer: NewOffer) -> CreatedOffer:
        """Make an offer."""
        ...

    async def get(self, offer_id: OfferId) -> OfferView:
        """Return an offer."""
        ...

    async def withdraw(self, offer_id: OfferId) -> None:
        """Withdraw an offer."""
        ...


class Partners(Protocol):
    """The part of `grpc_api.clients.partners.PartnersClient` that the API needs."""

    async def check_secret(self, partner_id: str, secret: str) -> None:
        """Check a partner's secret."""
        ...


@dataclass(frozen=True, slots=True)
class SigningParts:
    """What the API works with."""

    offers: Offers
    partners: Partners
    public_url: str  # of the portal: where links lead

    async def partner(self, request: Request) -> str:
        """Return the id of the partner that calls, by client id and secret (RFC 7617).

        Raises:
            HTTPException: 401: there is none, or the secret is wrong.
            UnavailableError: too many wrong ones.
        """
        client_id, secret = _credentials(request.headers.get("authorization", ""))
        try:
            await self.partners.check_secret(client_id, secret)
        except (DeniedError, NotFoundError):
            raise HTTPException(401, headers=_WHO) from None
        return client_id

    async def own_offer(self, request: Request, offer: str) -> tuple[OfferId, OfferView]:
        """Return an offer of the partner that calls.

        Raises:
            NotFoundError: it has no such offer; another's is none.
        """
        partner_id, offer_id = await self.partner(request), _parse_id(offer)
        found = await self.offers.get(offer_id)
        if found.relying_party_id != partner_id:
            raise NotFoundError("no such offer")
        return offer_id, found


def signing_routes(parts: SigningParts) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.post(_PATH)
    async def make(request: Request) -> Response:
        """Make an offer; the same idempotency key with the same content gives the same one."""
        partner_id = await parts.partner(request)
        asked = parse_body(await read_body(request, MAX_BYTES))
        made = await parts.offers.create(asked.offer_of(partner_id))
        link = same_device_link(parts.public_url, made.offer_id, made.link_secret)
        told = {"offer_id": made.offer_id.hex(), "link": link, "expires_at_s": made.expires_at_s}
        return JSONResponse(told, 201, {"Cache-Control": "no-store"})

    @routes.get(_PATH + "/{offer}")
    async def look(request: Request, offer: str) -> Response:
        """Tell the state of an offer."""
        _, found = await parts.own_offer(request, offer)
        told = {
            "status": found.state.status.value,
            "expires_at_s": found.state.expires_at_s,
            "decline_reason": found.state.decline_reason,
        }
        return JSONResponse(told, headers={"Cache-Control": "no-store"})

    @routes.delete(_PATH + "/{offer}")
    async def withdraw(request: Request, offer: str) -> Response:
        """Withdraw an offer that nobody has approved."""
        offer_id, _ = await parts.own_offer(request, offer)
        await parts.offers.withdraw(offer_id)
        return Response(status_code=204)

    return routes


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    client_id, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon or not client_id or not secret:
        raise HTTPException(401, headers=_WHO)
    return client_id, secret


def _parse_id(text: str) -> OfferId:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 16:
        raise NotFoundError("no such offer")
    return OfferId(found)
