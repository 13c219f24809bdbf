"""The site: three pages, and Authlib for everything of OpenID Connect."""

import html
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.middleware.sessions import SessionMiddleware

from examples.partner_oidc.signature import BadSignatureError, verify_login

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<style>body{{font:1.1rem/1.5 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}}
pre{{background:#eee;color:#111;padding:1rem;overflow:auto;white-space:pre-wrap}}</style>
<h1>{title}</h1>{body}</html>"""


_WELCOME = """<p>OpenSSL accepts the signature of <b>{subject}</b> under:</p>
<pre>{statement}</pre><p><a href="/leave">Sign out</a></p>"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a partner got when it registered, and where its own site is."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    root: Path  # PEM of the pinned root certificate
    scope: str = "openid profile"


def make_site(settings: Settings) -> FastAPI:
    """Return the site; its return address is `/return`."""
    site = FastAPI(openapi_url=None)
    key = secrets.token_urlsafe(32)
    site.add_middleware(SessionMiddleware, secret_key=key, session_cookie="partner_session")
    oauth = OAuth()
    oauth.register(
        "signer",
        server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        client_kwargs={"scope": settings.scope, "code_challenge_method": "S256"},
    )

    _add_pages(site)
    _add_login(site, oauth, settings)
    return site


def _add_pages(site: FastAPI) -> None:
    @site.get("/")
    async def home(request: Request) -> Response:
        """Greet the visitor."""
        user = request.session.get("user")
        if user is None:
            return _page("Made-up Bank", '<p><a href="/login">Sign in with your phone</a></p>')
        shown = {name: html.escape(value) for name, value in user.items()}
        return _page(f"Welcome, {shown['name']}", _WELCOME.format(**shown))

    @site.get("/leave")
    async def leave(request: Request) -> Response:
        """Forget the visitor."""
        request.session.clear()
        return RedirectResponse("/", 303)


def _add_login(site: FastAPI, oauth: OAuth, settings: Settings) -> None:
    @site.get("/login")
    async def login(request: Request) -> Response:
        """Send the visitor to the portal."""
        back = str(request.url_for("returned"))
        redirect: Response = await oauth.signer.authorize_redirect(request, back)
        return redirect

    @site.get("/return")
    async def returned(request: Request) -> Response:
        """Take the visitor back: Authlib checks state, code, ID token and nonce."""
        try:
            about = (await oauth.signer.authorize_access_token(request))["userinfo"]
            request.session["user"] = _user(about, settings)
        except OAuthError as error:
            return _refuse(error.description or error.error)
        except BadSignatureError as error:
            return _refuse(str(error))
        return RedirectResponse("/", 303)


def _user(about: Mapping[str, Any], settings: Settings) -> dict[str, str]:
    """Return what the site keeps of a visitor, once the signature is checked, too."""
    expected = {"issuer": settings.issuer, "client": settings.client_id, "nonce": about["nonce"]}
    signed = about["diia_signature"]
    return {
        "name": about.get("name", about["sub"]),
        "subject": verify_login(signed, settings.root, expected),
        "statement": signed["statement"],
    }


def _refuse(says: str) -> Response:
    body = f'<p>{html.escape(says)}</p><p><a href="/">Back</a></p>'
    return _page("Not signed in", body, 403)


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=title, body=body), status)
