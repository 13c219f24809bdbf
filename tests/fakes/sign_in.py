"""A portal with nothing but the sign-in page, over offers that the test moves."""

import secrets
import time
from types import SimpleNamespace

from cryptography.fernet import Fernet, MultiFernet
from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse

from grpc_api.clients.offers import NewOffer
from portal_web.design.assets import Assets, asset_routes
from portal_web.design.headers import SecurityHeaders
from portal_web.design.pages import Pages
from portal_web.errors import render_errors
from portal_web.home.routes import home_routes
from portal_web.sessions.cookies import SealedCookies
from portal_web.sessions.session import Sessions
from portal_web.sign_in.ports import Flow
from portal_web.sign_in.routes import sign_in_routes
from signer_core.errors import NotFoundError
from signer_core.protocol.request_kind import RequestKind
from tests.fakes.offers import FakeOffers

PARTY = {"uk": "Перший вигаданий банк", "en": "First Made-up Bank"}
PURPOSE = "Вхід до особистого кабінету"


class FakeFlows:
    """Errands by name, each of the browser that has its cookie."""

    def __init__(self, offers) -> None:
        self.offers, self.flows = offers, {}

    async def begin(self, name="one", *, kind=RequestKind.AUTH, ttl_s=180, same_device=False):
        offer = NewOffer("bank", kind, PURPOSE, f"key-{name}", ttl_s=ttl_s, same_device=same_device)
        made = await self.offers.create(offer)
        self.flows[name] = Flow(made.offer_id, PARTY, f"/done/{name}", f"/given-up/{name}")
        return made

    def find(self, request, flow):
        if flow not in self.flows or request.cookies.get(f"flow-{flow}") != "mine":
            raise NotFoundError("there is no such errand of this browser")
        return self.flows[flow]

    async def renew(self, request, flow, *, same_device):
        old = await self.offers.get(self.flows[flow].offer_id)
        await self.begin("new", kind=old.kind, same_device=same_device)
        answer = RedirectResponse("/sign-in/new", 303)
        answer.set_cookie("flow-new", "mine")
        return answer

    def returned(self, request, offer_id, return_code):
        for name, flow in self.flows.items():
            if flow.offer_id == offer_id and request.cookies.get(f"flow-{name}") == "mine":
                return RedirectResponse(f"{flow.done_to}?r={return_code.hex()}", 303)
        raise NotFoundError("this browser did not begin it: go back to the one that did")


def sign_in_portal(
    public_url="http://127.0.0.1:7440", now_s=time.time, token_bytes=secrets.token_bytes
):
    """Return the application, its offers and its errands."""
    offers = FakeOffers(now_s, token_bytes)
    flows = FakeFlows(offers)
    assets = Assets()
    pages = Pages(assets, phone_url="http://localhost:7442")
    sessions = Sessions(
        SealedCookies(MultiFernet([Fernet(Fernet.generate_key())]), is_secure=False)
    )
    app = FastAPI(openapi_url=None)
    render_errors(app, pages)
    app.include_router(asset_routes(assets))
    app.include_router(sign_in_routes(offers, flows, pages, sessions, public_url, now_s))

    app.include_router(home_routes(pages))

    @app.get("/done/{name}")
    @app.get("/given-up/{name}")
    async def end(name: str):
        return HTMLResponse(f"<!doctype html><html lang=uk><title>t</title><h1>{name}</h1>")

    return SimpleNamespace(app=SecurityHeaders(app), offers=offers, flows=flows)
