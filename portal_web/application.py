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
from portal_web.sessions.session import Sessions
from portal_web.sign_in.routes import sign_in_routes
from portal_web.signing_api.routes import SigningParts, signing_routes
from portal_web.trust.routes import trust_routes
from signer_core.trust.ports import TrustServices


def make_application(
    trust: TrustServices,
    is_signer_serving: Callable[[], Awaitable[bool]],
    *,
    is_secure: bool = False,
    developers: DeveloperParts | None = None,
    signing: SigningParts | None = None,
    login: LoginParts | None = None,
) -> ASGIApp:
    """Put the routes together.

    `is_signer_serving` asks the signer's health; `is_secure` says that browsers come over TLS.
    """
    app = FastAPI(openapi_url=None)
    assets = Assets()
    pages = Pages(assets, is_secure=is_secure)
    render_errors(app, pages)
    app.include_router(asset_routes(assets))
    app.include_router(home_routes(pages))
    app.include_router(trust_routes(trust))
    if developers is not None:
        app.include_router(developer_routes(developers, pages))
    if signing is not None:
        app.include_router(signing_routes(signing))
    if login is not None:
        _add_login(app, login, pages)

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


def _add_login(app: FastAPI, login: LoginParts, pages: Pages) -> None:
    errands = make_errands(login)
    app.include_router(login_routes(login, errands, pages))
    sessions = Sessions(login.cookies)
    app.include_router(sign_in_routes(login.offers, errands, pages, sessions, login.public_url))
