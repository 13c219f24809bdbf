"""A portal whose waiting pages are for anybody: `python -m benchmarks.harness.waiting_portal FILE`.

The real routes over the real signer, with the settings and the certificate of the portal in FILE;
only who may see which page is left out, for the benchmark's browsers have no login. It prints its
port.
"""

import sys
from pathlib import Path

import uvloop
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

import portal_web.application  # noqa: F401  # its memory counts, as in the real process
from grpc_api.clients.offers import OffersClient
from grpc_api.credentials import address_of_any, internal_channel
from grpc_api.settings import load_settings
from portal_web.__main__ import http_server, listen
from portal_web.design.assets import Assets
from portal_web.design.headers import SecurityHeaders
from portal_web.design.pages import Pages
from portal_web.errors import render_errors
from portal_web.sessions.cookies import SealedCookies
from portal_web.sessions.keys import read_keys
from portal_web.sessions.session import Sessions
from portal_web.settings import PortalSettings
from portal_web.sign_in.ports import Flow
from portal_web.sign_in.routes import sign_in_routes
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import parse_short


class Anybody:
    """An errand for each offer, by the offer's id."""

    def find(self, _request: Request, flow: str) -> Flow:
        """Return it."""
        offer_id = OfferId(parse_short(flow))
        return Flow(offer_id, {"uk": "Банк", "en": "Bank"}, "/done", "/given-up")

    async def renew(self, _request: Request, _flow: str, *, same_device: bool) -> Response:
        """Lead nowhere."""
        return RedirectResponse(f"/{same_device}", 303)

    def returned(self, _request: Request, _offer_id: OfferId, _return_code: bytes) -> Response:
        """Lead nowhere."""
        return RedirectResponse("/done", 303)


async def serve(settings: PortalSettings) -> None:
    """Serve until the process is ended."""
    listener = listen("127.0.0.1:0")
    address = address_of_any(settings.signer_addresses)
    async with internal_channel(address, "signer.internal", settings.tls) as signer:
        app = FastAPI()
        sessions = Sessions(SealedCookies(read_keys(settings.cookie_keys_file), is_secure=False))
        pages = Pages(Assets())
        offers = OffersClient(signer)
        render_errors(app, pages)
        app.include_router(sign_in_routes(offers, Anybody(), pages, sessions, settings.public_url))
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        await http_server(SecurityHeaders(app)).serve([listener])


if __name__ == "__main__":
    uvloop.run(serve(load_settings(PortalSettings, Path(sys.argv[1]))))
