"""The logins that a browser has under way: a cookie each, under a name that nobody can guess."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grpc_api.clients.offers import NewOffer
from portal_web.login.browsers import describe
from portal_web.login.errand import Errand, make_statement
from portal_web.login.ports import LoginOffers
from portal_web.sessions.cookies import SealedCookies
from portal_web.sign_in.device import prefers_same_device
from portal_web.sign_in.ports import Flow
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import OfferId
from signer_core.protocol.request_kind import RequestKind

TTL_S: Final = 600  # from the beginning, or the last new code, to the end
_PREFIX: Final = "login-"
_AT_ONCE: Final = 4  # logins of one browser; an older one makes way
_GONE: Final = "this login is not under way here: begin again at the partner's site"


@dataclass(frozen=True, slots=True)
class Errands:
    """Begins, finds and ends them; `portal_web.sign_in.ports.Flows` of the page where they wait."""

    cookies: SealedCookies
    offers: LoginOffers
    issuer: str
    now_s: Callable[[], float] = field(default=time.time)

    async def begin(
        self, request: Request, parameters: Mapping[str, str], party: Mapping[str, str]
    ) -> Response:
        """Make an offer and send the browser to where it waits."""
        name = secrets.token_urlsafe(16)
        same_device = prefers_same_device(request)
        errand = await self._offer(request, parameters, party, same_device=same_device)
        answer = self._go(f"/sign-in/{name}", name, errand, parameters.get("ui_locales", ""))
        for old, _ in list(self._all(request))[: 1 - _AT_ONCE]:
            self.cookies.delete(answer, _PREFIX + old)
        return answer

    def errand(self, request: Request, name: str) -> Errand:
        """Return a login that this browser began.

        Raises:
            NotFoundError: it did not, or it took too long, or it is over.
        """
        content = self.cookies.read(request, _PREFIX + name, TTL_S) if _is_name(name) else None
        if content is None:
            raise NotFoundError(_GONE)
        return Errand.of_content(content)

    def end(self, answer: Response, name: str) -> None:
        """Let the browser forget a login."""
        self.cookies.delete(answer, _PREFIX + name)

    def find(self, request: Request, flow: str) -> Flow:
        """See `Flows.find`."""
        errand = self.errand(request, flow)
        return Flow(
            offer_id=errand.offer_id,
            party=errand.party,
            done_to=f"/login/continue?flow={flow}",
            cancel_to=f"/login/cancel?flow={flow}",
        )

    async def renew(self, request: Request, flow: str, *, same_device: bool) -> Response:
        """See `Flows.renew`."""
        old = self.errand(request, flow)
        new = await self._offer(request, old.parameters, old.party, same_device=same_device)
        return self._go(f"/sign-in/{flow}", flow, new)

    def returned(self, request: Request, offer_id: OfferId, return_code: bytes) -> Response:
        """See `Flows.returned`."""
        for name, errand in self._all(request):
            if errand.offer_id == offer_id:
                back = errand.with_return_code(return_code)
                return self._go(f"/login/continue?flow={name}", name, back)
        raise NotFoundError(_GONE)

    async def _offer(
        self,
        request: Request,
        parameters: Mapping[str, str],
        party: Mapping[str, str],
        *,
        same_device: bool,
    ) -> Errand:
        begun_s = int(self.now_s())
        statement = make_statement(self.issuer, parameters, datetime.fromtimestamp(begun_s, UTC))
        offer = NewOffer(
            relying_party_id=parameters["client_id"],
            kind=RequestKind.AUTH,
            purpose=f"Вхід на сайт. {statement.says}",
            idempotency_key=secrets.token_urlsafe(16),
            return_address=parameters["redirect_uri"],
            challenge=statement.challenge,
            statement=statement.text,
            initiator=describe(request),
            same_device=same_device,
        )
        made = await self.offers.create(offer)
        kept = {name: value for name, value in parameters.items() if name != "ui_locales"}
        collector = secrets.token_bytes(32)
        return Errand(kept, party, made.offer_id, collector, begun_s, same_device)

    def _go(self, to: str, name: str, errand: Errand, locales: str = "") -> Response:
        answer = RedirectResponse(to + _language(locales), 303)
        try:
            self.cookies.write(answer, _PREFIX + name, errand.to_content(), TTL_S)
        except ValueError:
            raise InvalidRequestError("the partner's request is too long: shorten state") from None
        return answer

    def _all(self, request: Request) -> Iterator[tuple[str, Errand]]:
        """Yield the logins under way, in the order of the cookies."""
        for full in request.cookies:
            name = full.removeprefix("__Host-")
            if not name.startswith(_PREFIX):
                continue
            content = self.cookies.read(request, name, TTL_S)
            if content is not None:
                yield name.removeprefix(_PREFIX), Errand.of_content(content)


def _language(locales: str) -> str:
    """Return the query that shows a page in the first language that we have (`ui_locales`)."""
    for wish in locales.split():
        language = wish.partition("-")[0].lower()
        if language in ("uk", "en"):
            return f"?lang={language}"
    return ""


def _is_name(name: str) -> bool:
    return len(name) == 22 and name.isascii()  # base64url of 16 bytes
