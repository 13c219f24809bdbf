"""The site: three pages, and Authlib for everything of OpenID Connect."""

import html
import secrets
from dataclasses import dataclass, field
from pathlib import Path

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


@dataclass(frozen=True, slots=True)
class Settings:
    """What a partner got when it registered, and where its own site is."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    root: Path  # PEM of the pinned root certificate
    scope: str = "openid profile person_code"


def make_site(settings: Settings) -> FastAPI:
    """Return the site; its return address is `/return`."""
    site = FastAPI(openapi_url=None)
    site.add_middleware(SessionMiddleware, secret_key=secrets.token_urlsafe(32))
    oauth = OAuth()
    oauth.register(
        "signer",
        server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
        client_id=settings.client_id,
        client_secret=settings.client_secret,
        client_kwargs={"scope": settings.scope, "code_challenge_method": "S256"},
    )

    @site.get("/")
    async def home(request: Request) -> Response:
        """Greet the visitor."""
        user = request.session.get("user")
        if user is None:
            return _page("Made-up Bank", '<p><a href="/login">Sign in with your phone</a></p>')
        name = html.escape(user["name"])
        return _page(
            f"Welcome, {name}",
            f"<p>OpenSSL accepts the signature of <b>{html.escape(user['subject'])}</b> under:</p>"
            f"<pre>{html.escape(user['statement'])}</pre>"
            '<p><a href="/leave">Sign out</a></p>',
        )

    @site.get("/login")
    async def login(request: Request) -> Response:
        """Send the visitor to the portal."""
        redirect: Response = await oauth.signer.authorize_redirect(
            request, str(request.url_for("returned"))
        )
        return redirect

    @site.get("/return")
    async def returned(request: Request) -> Response:
        """Take the visitor back: Authlib checks state, code, ID token and nonce."""
        try:
            token = await oauth.signer.authorize_access_token(request)
            about = token["userinfo"]
            expected = {"issuer": settings.issuer, "client": settings.client_id}
            expected["nonce"] = about["nonce"]
            subject = verify_login(about["diia_signature"], settings.root, expected)
        except OAuthError as error:
            says = html.escape(error.description or error.error)
            return _page("Not signed in", f'<p>{says}</p><p><a href="/">Back</a></p>', 403)
        except BadSignatureError as error:
            return _page("Not signed in", f"<p>{html.escape(str(error))}</p>", 403)
        request.session["user"] = {
            "name": about.get("name", about["sub"]),
            "subject": subject,
            "statement": about["diia_signature"]["statement"],
        }
        return RedirectResponse("/", 303)

    @site.get("/leave")
    async def leave(request: Request) -> Response:
        """Forget the visitor."""
        request.session.clear()
        return RedirectResponse("/", 303)

    return site


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=title, body=body), status)
