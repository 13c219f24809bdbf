"""The portal's web application: every route, given what they need."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from starlette.types import ASGIApp

from portal_web.design.assets import Assets, asset_routes
from portal_web.design.headers import SecurityHeaders
from portal_web.design.pages import Pages
from portal_web.developers.routes import DeveloperParts, developer_routes
from portal_web.errors import render_errors
from portal_web.home.routes import home_routes
from portal_web.login.routes import LoginParts, login_routes, make_errands
from portal_web.partner_api.routes import partner_routes
from portal_web.sessions.session import Sessions
from portal_web.sign_in.ports import Flows
from portal_web.sign_in.routes import sign_in_routes
from portal_web.sign_in.several import SeveralFlows
from portal_web.signing.parts import SigningParts
from portal_web.signing.routes import signing_routes
from portal_web.trust.routes import trust_routes
from signer_core.trust.ports import TrustServices


def make_application(  # noqa: PLR0913  # each is a part of the portal, put together once
    trust: TrustServices,
    is_signer_serving: Callable[[], Awaitable[bool]],
    *,
    is_secure: bool = False,
    phone_url: str = "",
    developers: DeveloperParts | None = None,
    login: LoginParts | None = None,
    signing: SigningParts | None = None,
) -> ASGIApp:
    """Put the routes together.

    `is_signer_serving` asks the signer's health; `is_secure` says that browsers come over TLS;
    `phone_url` is where developers have a phone in the browser, if they do.
    """
    app = FastAPI(openapi_url=None)
    assets = Assets()
    pages = Pages(assets, is_secure=is_secure, phone_url=phone_url)
    render_errors(app, pages)
    if login is not None:  # first: partners' servers ask most often
        _add_offers(app, login, signing, pages)
    app.include_router(asset_routes(assets))
    app.include_router(home_routes(pages))
    app.include_router(trust_routes(trust))
    if developers is not None:
        app.include_router(developer_routes(developers, pages))

    @app.get("/health")
    async def health() -> Response:
        """Say whether this process can do its work now."""
        serving = await is_signer_serving()
        says = "serving" if serving else "the signer does not answer"
        return JSONResponse(
            {"status": says}, 200 if serving else 503, {"Cache-Control": "no-store"}
        )

    # Outermost, so that an unforeseen error is answered with the headers as well.
    return SecurityHeaders(app, is_secure=is_secure)


def _add_offers(
    app: FastAPI, login: LoginParts, signing: SigningParts | None, pages: Pages
) -> None:
    """Add what ends on a phone: logins, signatures for partners, and the page where both wait."""
    logins = make_errands(login)
    app.include_router(login_routes(login, logins, pages))
    waiting: list[Flows] = [logins]
    if signing is not None:
        signings, withdraw = signing.errands(), signing.offers.withdraw
        app.include_router(partner_routes(signing.partners, signing.desk()))
        app.include_router(signing_routes(signing.tickets, signings, withdraw, pages))
        waiting.append(signings)
    flows, sessions = SeveralFlows(waiting), Sessions(login.cookies)
    app.include_router(sign_in_routes(login.offers, flows, pages, sessions, login.public_url))
