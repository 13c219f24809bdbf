"""Errands of browsers that came with a ticket, kept in a cookie of each."""

import secrets
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal_web.sessions.cookies import SealedCookies
from portal_web.sign_in.ports import Flow
from portal_web.signing.tickets import Ticket
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import short

PREFIX: Final = "sign-"  # of the names of these errands
_COOKIE: Final = "signing"
_TTL_S: Final = 86_400  # the longest that an offer stays open
_KEPT: Final = 4  # errands a browser, the newest


class SigningErrands:
    """The errands (`portal_web.sign_in.ports.Flows`) of people who sign for a partner."""

    def __init__(self, cookies: SealedCookies) -> None:
        self._cookies = cookies

    def begin(self, request: Request, ticket: Ticket) -> Response:
        """Take a ticket; the answer leads to the page of its offer."""
        flow = PREFIX + secrets.token_urlsafe(12)
        kept = dict(list(self._read(request).items())[-(_KEPT - 1) :])
        mine = [ticket.offer, ticket.name_uk, ticket.name_en, ticket.return_address]
        answer = RedirectResponse(f"/sign-in/{flow}", 303)
        self._cookies.write(answer, _COOKIE, kept | {flow: mine}, _TTL_S)
        return answer

    def find(self, request: Request, flow: str) -> Flow:
        """Return the errand of this browser under this name.

        Raises:
            NotFoundError: there is none.
        """
        offer, name_uk, name_en, _ = self._get(request, flow)
        return Flow(
            offer_id=OfferId(bytes.fromhex(offer)),
            party={"uk": name_uk, "en": name_en},
            done_to=f"/sign/{flow}/done",
            cancel_to=f"/sign/{flow}/cancel",
            can_renew=False,  # what is to be signed, only the partner has
        )

    async def renew(self, _request: Request, _flow: str, *, same_device: bool) -> Response:  # noqa: ARG002  as the port says
        """Refuse.

        Raises:
            InvalidRequestError: always.
        """
        raise InvalidRequestError("this offer is over: go back to the site that sent you")

    def returned(self, request: Request, offer_id: OfferId, return_code: bytes) -> Response:
        """Lead back to the partner, with the code (16 bytes) that it collects with.

        Raises:
            NotFoundError: this browser did not begin it.
        """
        for offer, _, _, address in self._read(request).values():
            if bytes.fromhex(offer) == offer_id:
                return _leave(address, offer, "approved", short(return_code))
        raise NotFoundError("this browser did not begin it: go back to the one that did")

    def leave(self, request: Request, flow: str, status: str) -> Response:
        """Lead back to the partner, or to the end where it has no address.

        Raises:
            NotFoundError: there is no such errand.
        """
        offer, _, _, address = self._get(request, flow)
        return _leave(address, offer, status)

    def _get(self, request: Request, flow: str) -> list[str]:
        found = self._read(request).get(flow)
        if found is None:
            raise NotFoundError("there is nothing to sign here: go back to the site that sent you")
        return found

    def _read(self, request: Request) -> dict[str, list[str]]:
        return self._cookies.read(request, _COOKIE, _TTL_S) or {}


def _leave(address: str, offer: str, status: str, return_code: str = "") -> Response:
    query = {"offer": offer, "status": status}
    if return_code:
        query["return_code"] = return_code
    if not address:
        return RedirectResponse(f"/sign/over?{urlencode(query)}", 303)
    parts = urlsplit(address)
    together = "&".join(filter(None, (parts.query, urlencode(query))))
    return RedirectResponse(urlunsplit(parts._replace(query=together)), 303)
