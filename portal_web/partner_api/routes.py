"""The partner API: `/partner/v1/offers`. Every answer is JSON, every error problem details."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request

from grpc_api.clients.partners import Partner
from portal_web.partner_api.bodies import CollectBody, NewOfferBody, OfferBody, ResultBody
from portal_web.partner_api.caller import Partners, authenticate
from portal_web.partner_api.desk import OfferDesk
from portal_web.partner_api.reading import described, read


def partner_routes(partners: Partners, desk: OfferDesk) -> APIRouter:
    """Return the routes."""
    routes = APIRouter(prefix="/partner/v1/offers", tags=["partner"])

    async def calling(request: Request) -> Partner:
        return await authenticate(partners, request)

    caller: Any = Annotated[Partner, Depends(calling)]

    @routes.post("", status_code=201, openapi_extra=described(NewOfferBody))
    async def create(
        request: Request, partner: caller, idempotency_key: Annotated[str, Header()]
    ) -> OfferBody:
        """Make an offer; the same Idempotency-Key and content give the same one."""
        return await desk.create(partner, await read(request, NewOfferBody), idempotency_key)

    @routes.get("/{offer_id}")
    async def get(offer_id: str, partner: caller) -> OfferBody:
        """Return an offer and its state."""
        return await desk.get(partner, offer_id)

    @routes.delete("/{offer_id}", status_code=204)
    async def withdraw(offer_id: str, partner: caller) -> None:
        """Withdraw an offer that nobody has approved; repeating it is harmless."""
        await desk.withdraw(partner, offer_id)

    collecting = described(CollectBody, required=False)

    @routes.post("/{offer_id}/collect", openapi_extra=collecting)
    async def collect(request: Request, offer_id: str, partner: caller) -> ResultBody:
        """Take what the person gave; the same partner may repeat it."""
        return await desk.collect(partner, offer_id, await read(request, CollectBody))

    return routes
