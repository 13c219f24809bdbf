"""Routes of the OpenID provider."""

import json
import logging
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from portal_web.design.pages import Pages
from portal_web.login.clients import Directory
from portal_web.login.discovery import metadata
from portal_web.login.errands import Errands
from portal_web.login.keys import KEEP_S, KeyList
from portal_web.login.openapi import described
from portal_web.login.ports import LoginOffers, LoginStore, Partners
from portal_web.login.provider import Provider
from portal_web.login.server import AUTHORIZE, PAR, TOKEN, LoginServer
from portal_web.sessions.cookies import SealedCookies

_KEEP: Final = {
    "Cache-Control": f"public, max-age={KEEP_S}",
    "Access-Control-Allow-Origin": "*",  # public, and read by partners' scripts
}


@dataclass(frozen=True, slots=True)
class LoginParts:
    """What login works with."""

    public_url: str  # the issuer
    logins: LoginStore
    offers: LoginOffers
    partners: Partners
    cookies: SealedCookies


def make_errands(parts: LoginParts) -> Errands:
    """Return the logins that browsers have under way, for the page where they wait."""
    return Errands(parts.cookies, parts.offers, parts.public_url)


def login_routes(parts: LoginParts, errands: Errands, pages: Pages) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    logging.getLogger("authlib").setLevel(logging.WARNING)  # below it, it logs tokens
    server = LoginServer(parts.public_url, parts.logins, Directory(parts.partners))
    provider = Provider(server, errands, parts.public_url)
    _add_documents(routes, parts)
    _add_programs(routes, provider)
    _add_browsers(routes, provider, pages)
    return routes


def _add_documents(routes: APIRouter, parts: LoginParts) -> None:
    says = json.dumps(metadata(parts.public_url)).encode()
    keys = KeyList(parts.logins)

    @routes.get("/.well-known/openid-configuration")
    @routes.get("/.well-known/oauth-authorization-server")
    async def configuration() -> Response:
        """Say what the provider can do."""
        return Response(says, 200, _KEEP, "application/json")

    @routes.get("/oauth/jwks")
    async def jwks() -> Response:
        """List the keys that ID tokens are signed with."""
        return Response(await keys.read(), 200, _KEEP, "application/jwk-set+json")


def _add_programs(routes: APIRouter, provider: Provider) -> None:
    @routes.post(PAR, **described("par"))
    async def par(request: Request) -> Response:
        """Keep an authorization request of an authenticated client for a minute."""
        return await provider.par(request)

    @routes.post(TOKEN, **described("token"))
    async def token(request: Request) -> Response:
        """Change a code into an ID token and an access token."""
        return await provider.token(request)

    @routes.post("/oauth/revoke", **described("revoke"))
    async def revoke(request: Request) -> Response:
        """End the login of an access token."""
        return await provider.revoke(request)

    @routes.get("/oauth/userinfo")
    @routes.post("/oauth/userinfo")
    async def userinfo(request: Request) -> Response:
        """Say what the person agreed to tell."""
        return await provider.userinfo(request)


def _add_browsers(routes: APIRouter, provider: Provider, pages: Pages) -> None:
    @routes.get(AUTHORIZE, **described("authorize", "query"))
    @routes.post(AUTHORIZE, **described("authorize"))
    async def authorize(request: Request) -> Response:
        """Begin a login."""
        return await provider.authorize(request)

    @routes.get("/oauth/logout", **described("logout", "query"))
    @routes.post("/oauth/logout", **described("logout"))
    async def logout(request: Request) -> Response:
        """End a login at a partner's wish."""
        ended = await provider.logout(request)
        if ended is not None:
            return ended.response()
        return pages.render(request, "login/templates/logged_out.html")

    @routes.get("/login/continue")
    async def go_on(request: Request, flow: str) -> Response:
        """Go back to the partner, with a code if the person approved."""
        return await provider.go_on(request, flow)

    @routes.get("/login/cancel")
    async def cancel(request: Request, flow: str) -> Response:
        """Go back to the partner without."""
        return await provider.cancel(request, flow)
