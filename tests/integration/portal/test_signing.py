"""A person whom a partner sent to sign: the ticket, the page, the way back."""

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.fernet import Fernet, MultiFernet
from fastapi import FastAPI

from grpc_api.clients.offers import NewOffer, OfferStatus
from portal_web.design.assets import Assets
from portal_web.design.pages import Pages
from portal_web.errors import render_errors
from portal_web.sessions.cookies import SealedCookies
from portal_web.sessions.session import Sessions
from portal_web.sign_in.routes import sign_in_routes
from portal_web.sign_in.several import SeveralFlows
from portal_web.signing.errands import SigningErrands
from portal_web.signing.routes import signing_routes
from portal_web.signing.tickets import Ticket, Tickets
from signer_core.errors import NotFoundError
from signer_core.protocol.offer_link import return_link
from signer_core.protocol.request_kind import RequestKind
from tests.fakes.offers import FakeOffers

KEYS = MultiFernet([Fernet(Fernet.generate_key())])
RETURN = "https://bank.example/return?order=7"
PORTAL = "https://portal"


class NoErrands:
    """Another kind of errands, of which this browser has none."""

    def find(self, request, flow):
        raise NotFoundError("none")

    def returned(self, request, offer_id, return_code):
        raise NotFoundError("none")


@pytest.fixture
def offers():
    return FakeOffers()


@pytest.fixture
def make_browser(offers):
    app = FastAPI()
    pages, cookies = Pages(Assets()), SealedCookies(KEYS, is_secure=False)
    errands = SigningErrands(cookies)
    render_errors(app, pages)
    app.include_router(signing_routes(Tickets(KEYS), errands, offers.withdraw, pages))
    flows = SeveralFlows([NoErrands(), errands])
    app.include_router(sign_in_routes(offers, flows, pages, Sessions(cookies), PORTAL))

    def make():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=PORTAL)

    return make


@pytest.fixture
async def browser(make_browser):
    async with make_browser() as client:
        yield client


async def offered(offers, *, return_address=RETURN, same_device=False, ends_in_s=900):
    """Return an offer with the path of its ticket."""
    wanted = NewOffer(
        relying_party_id="sandbox-bank",
        kind=RequestKind.HASHED_FILES_SIGNING,
        purpose="An agreement",
        idempotency_key="1",
        return_address=return_address,
        same_device=same_device,
        ttl_s=900,
    )
    made = await offers.create(wanted)
    ends_at_s = int(time.time()) + ends_in_s
    ticket = Ticket(made.offer_id.hex(), ends_at_s, "Банк", "Bank", return_address)
    return made, f"/sign/{Tickets(KEYS).seal(ticket)}"


async def begin(browser, path):
    answer = await browser.get(path)
    assert answer.status_code == 303
    return answer.headers["Location"]


def came_back(answer):
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qs(parts.query)


async def test_a_ticket_leads_to_the_page_of_its_offer(browser, offers):
    _, path = await offered(offers)
    page = await browser.get(await begin(browser, path))
    assert page.status_code == 200
    assert "An agreement" in page.text
    assert "Банк" in page.text
    assert "/renew" not in page.text  # nobody but the partner can make another one


async def test_who_has_signed_goes_back_to_the_partner(browser, offers):
    made, path = await offered(offers)
    page = await begin(browser, path)
    await offers.become(made.offer_id, OfferStatus.APPROVED)
    done = await browser.get((await browser.get(page)).headers["Location"])
    where, query = came_back(done)
    assert where == "https://bank.example/return"
    assert query == {"order": ["7"], "offer": [made.offer_id.hex()], "status": ["approved"]}


async def test_who_gives_up_withdraws_the_offer(browser, offers):
    made, path = await offered(offers)
    page = await begin(browser, path)
    left = await browser.get(page.replace("/sign-in/", "/sign/") + "/cancel")
    assert came_back(left)[1]["status"] == ["cancelled"]
    assert (await offers.get(made.offer_id)).state.status is OfferStatus.WITHDRAWN
    again = await browser.get(page.replace("/sign-in/", "/sign/") + "/cancel")
    assert again.status_code == 303


async def test_without_an_address_the_portal_has_the_last_page(browser, offers):
    made, path = await offered(offers, return_address="")
    page = await begin(browser, path)
    await offers.become(made.offer_id, OfferStatus.APPROVED)
    done = await browser.get((await browser.get(page)).headers["Location"])
    last = await browser.get(done.headers["Location"])
    assert "Підписано" in last.text


async def test_the_same_device_brings_its_code(browser, offers):
    made, path = await offered(offers, same_device=True)
    await begin(browser, path)
    link = return_link(PORTAL, made.offer_id, made.link_secret).removeprefix(PORTAL)
    _, query = came_back(await browser.get(link))
    assert query["return_code"] == [parse_qs(urlsplit(link).query)["r"][0]]


async def test_another_browser_has_no_way_back(browser, make_browser, offers):
    made, path = await offered(offers, same_device=True)
    page = await begin(browser, path)
    async with make_browser() as other:
        link = return_link(PORTAL, made.offer_id, made.link_secret).removeprefix(PORTAL)
        assert (await other.get(link)).status_code == 404
        assert (await other.get(page)).status_code == 404


@pytest.mark.parametrize("damage", [lambda p: p[:-4], lambda p: p[:60] + p[61:] + p[60]])
async def test_a_ticket_that_is_not_ours_begins_nothing(browser, offers, damage):
    _, path = await offered(offers)
    assert (await browser.get(damage(path))).status_code == 404


async def test_a_cookie_is_no_ticket(browser):
    sealed = KEYS.encrypt(b'["session", {"ends_at_s": 99999999999}]').decode()
    assert (await browser.get(f"/sign/{sealed}")).status_code == 404


async def test_a_ticket_ends_with_its_offer(browser, offers):
    _, path = await offered(offers, ends_in_s=-1)
    answer = await browser.get(path)
    assert (answer.status_code, "go back to the site" in answer.text) == (404, True)


async def test_an_offer_that_is_over_is_not_made_again_here(browser, offers):
    made, path = await offered(offers)
    page = await begin(browser, path)
    await offers.become(made.offer_id, OfferStatus.EXPIRED)
    shown = await browser.get(page)
    assert "/renew" not in shown.text
    assert shown.status_code == 200


async def test_a_browser_keeps_a_few_errands_and_forgets_the_oldest(browser, offers):
    pages = []
    for _ in range(5):
        _, path = await offered(offers)
        pages.append(await begin(browser, path))
    found = [(await browser.get(page)).status_code for page in pages]
    assert found == [404, 200, 200, 200, 200]
