"""Routes of the sign-in page: the page, its events, its frame, a new code, the way back."""

import time
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from grpc_api.clients.offers import OfferView
from portal_web.design.pages import Pages
from portal_web.sessions.session import Sessions, read_form
from portal_web.sign_in.codes import OfferCodes
from portal_web.sign_in.events import events
from portal_web.sign_in.page import OfferPages, purpose_of_renewal
from portal_web.sign_in.ports import Flow, Flows, Offers
from portal_web.sign_in.rooms import Rooms
from signer_core.errors import NotFoundError
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import parse_short


def sign_in_routes(  # each is a part of the portal, put together once
    offers: Offers,
    flows: Flows,
    pages: Pages,
    sessions: Sessions,
    public_url: str,
    now_s: Callable[[], float] = time.time,
) -> APIRouter:
    """Return the routes for the errands of `flows`; `public_url` is without a slash at its end."""
    routes = APIRouter()
    rooms = Rooms(offers)
    shown = OfferPages(pages, sessions)

    async def look(request: Request, flow: str) -> tuple[Flow, OfferView, OfferCodes]:
        found = flows.find(request, flow)
        offer = await offers.get(found.offer_id)
        return found, offer, OfferCodes(public_url, found.offer_id, offer.link_secret, now_s)

    @routes.get("/sign-in/{flow}")
    async def page(request: Request, flow: str) -> Response:
        """Show the offer in its present state."""
        return shown.page(request, flow, *await look(request, flow))

    @routes.get("/sign-in/{flow}/frame")
    async def frame(request: Request, flow: str) -> Response:
        """Show its code alone, for the page of a browser without script."""
        return shown.frame(request, flow, *await look(request, flow))

    @routes.get("/sign-in/{flow}/events")
    async def told(request: Request, flow: str) -> Response:
        """Tell the page what happens, and the code of each second."""
        found, offer, codes = await look(request, flow)
        rooms.check_place(found.offer_id)
        source = events(rooms, found.offer_id, None if offer.same_device else codes.packed)
        return StreamingResponse(source, media_type="text/event-stream")

    @routes.post("/sign-in/{flow}/renew")
    async def renew(request: Request, flow: str) -> Response:
        """Make a new code for the same errand, for this device or for another one."""
        flows.find(request, flow)
        session = sessions.read(request)
        fields = await read_form(request, session, purpose_of_renewal(flow))
        return await flows.renew(request, flow, same_device=fields.get("device") == "same")

    routes.include_router(_link_routes(flows, pages, public_url))
    return routes


def _link_routes(flows: Flows, pages: Pages, public_url: str) -> APIRouter:
    """Return the routes of the links themselves, wherever they are opened."""
    routes = APIRouter()

    @routes.get("/o/{offer}/return")
    async def returned(request: Request, offer: str, r: str) -> Response:
        """Take the browser on that the phone's app sent back."""
        return flows.returned(request, OfferId(_bytes(offer)), _bytes(r))

    @routes.get("/o/{offer}")
    async def opened(request: Request, offer: str) -> Response:
        """Tell a person whose camera, not whose app, opened the link what to do."""
        _bytes(offer)
        is_same_device = "d" in request.query_params
        return pages.render(
            request,
            "sign_in/templates/link.html",
            is_same_device=is_same_device,
            link=f"{public_url}{request.url.path}?{request.url.query}" if is_same_device else "",
        )

    return routes


def _bytes(text: str) -> bytes:
    try:
        return parse_short(text)
    except ValueError:
        raise NotFoundError("this is no link of an offer: open the page again") from None
