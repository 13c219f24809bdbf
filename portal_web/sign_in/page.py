"""What the page of an offer shows, by its state."""

from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grpc_api.clients.offers import OfferStatus, OfferView
from portal_web.design.headers import content_security_policy
from portal_web.design.pages import Pages
from portal_web.sessions.session import Sessions, form_token
from portal_web.sign_in.codes import OfferCodes
from portal_web.sign_in.ports import Flow

_TEMPLATES: Final = "sign_in/templates"
REFRESH_S: Final = 2  # without script: a code is good for two to three seconds


@dataclass(frozen=True, slots=True)
class OfferPages:
    """Renders the page of an offer, the frame with its code, and its end."""

    pages: Pages
    sessions: Sessions

    def page(
        self, request: Request, name: str, flow: Flow, offer: OfferView, codes: OfferCodes
    ) -> Response:
        """Return the page in the offer's state; once approved, where the browser goes."""
        status = offer.state.status
        if status is OfferStatus.APPROVED and not offer.same_device:
            return RedirectResponse(flow.done_to, 303)
        session = self.sessions.read(request)
        shown = self.pages.render(
            request,
            f"{_TEMPLATES}/{_template(status)}.html",
            **self._common(request, name, flow, offer),
            token=form_token(session, purpose_of_renewal(name)),
            size=codes.qr().size if not offer.same_device else 0,
            same_device_link=codes.same_device() if offer.same_device else "",
            left_s=max(0, offer.state.expires_at_s - int(codes.now_s())),
        )
        self.sessions.write(shown, session)
        return shown

    def frame(
        self, request: Request, name: str, flow: Flow, offer: OfferView, codes: OfferCodes
    ) -> Response:
        """Return the frame with the code for browsers without script, renewed by itself."""
        is_open = offer.state.status is OfferStatus.OPEN and not offer.same_device
        shown = self.pages.render(
            request,
            f"{_TEMPLATES}/frame.html",
            **self._common(request, name, flow, offer),
            code=codes.qr() if is_open else None,
        )
        shown.headers["Content-Security-Policy"] = content_security_policy(frame_ancestors="'self'")
        shown.headers["X-Frame-Options"] = "SAMEORIGIN"
        if not offer.state.status.is_final:
            shown.headers["Refresh"] = str(REFRESH_S)
        return shown

    def _common(self, request: Request, name: str, flow: Flow, offer: OfferView) -> dict[str, Any]:
        return {
            "here": f"/sign-in/{name}",
            "flow": flow,
            "offer": offer,
            "became": str(offer.state.status),
            "kind": str(offer.kind),
            "party": flow.party[self.pages.texts(request).language],
            "number": offer.state.verification_number,
            "refresh_s": REFRESH_S,
        }


def purpose_of_renewal(name: str) -> str:
    """Return the purpose of the form that asks for a new code."""
    return f"renew {name}"


def _template(status: OfferStatus) -> str:
    if not status.is_final:
        return "waiting"
    return "return" if status is OfferStatus.APPROVED else "over"
