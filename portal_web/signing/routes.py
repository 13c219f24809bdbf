"""Routes of the errands that a partner's link begins."""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi import APIRouter, Request, Response

from portal_web.design.pages import Pages
from portal_web.signing.errands import SigningErrands
from portal_web.signing.tickets import Tickets
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import OfferId


def signing_routes(
    tickets: Tickets,
    errands: SigningErrands,
    withdraw: Callable[[OfferId], Awaitable[None]],
    pages: Pages,
    now_s: Callable[[], float] = time.time,
) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()

    @routes.get("/sign/over")
    async def over(request: Request, status: str = "") -> Response:
        """Say how it ended, where the partner has no page for it."""
        return pages.render(
            request, "signing/templates/over.html", is_approved=status == "approved"
        )

    @routes.get("/sign/{ticket}")
    async def begin(request: Request, ticket: str) -> Response:
        """Begin the errand of a ticket."""
        return errands.begin(request, tickets.open(ticket, int(now_s())))

    @routes.get("/sign/{flow}/done")
    async def done(request: Request, flow: str) -> Response:
        """Lead back to the partner: the person has signed."""
        return errands.leave(request, flow, "approved")

    @routes.get("/sign/{flow}/cancel")
    async def cancel(request: Request, flow: str) -> Response:
        """Withdraw the offer of a person who gave up, and lead back to the partner."""
        offer_id = errands.find(request, flow).offer_id
        with suppress(InvalidRequestError):  # over already, or being signed
            await withdraw(offer_id)
        return errands.leave(request, flow, "cancelled")

    return routes
