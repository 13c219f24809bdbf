"""The sign-in page over HTTP: who may see it, what it tells, when it moves on."""

import asyncio
import contextlib
import html
import json
import re
import secrets
import urllib.parse

import httpx
import pytest
from starlette.requests import Request

from grpc_api.clients.offers import OfferStatus
from portal_web.sign_in import rooms
from portal_web.sign_in.device import prefers_same_device
from portal_web.sign_in.rooms import Rooms
from signer_core.errors import NotFoundError, UnavailableError
from signer_core.identifiers import OfferId
from signer_core.protocol.offer_link import qr_link, return_link, same_device_link, short
from tests.fakes.browsing import listening
from tests.fakes.offers import FakeOffers
from tests.fakes.sign_in import sign_in_portal

MINE = {"Cookie": "flow-one=mine"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def portal():
    return sign_in_portal()


@pytest.fixture
async def web(portal):
    async with (
        listening(portal.app) as url,
        httpx.AsyncClient(base_url=url, headers=MINE, timeout=10) as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def _told(web, path="/sign-in/one/events"):
    """Open the events; give a function that returns the next one."""
    async with web.stream("GET", path) as answer:
        lines = answer.aiter_lines()

        async def following():
            event = {}
            async with asyncio.timeout(8):
                async for line in lines:
                    if not line and event:
                        return event["event"], event["data"]
                    name, _, value = line.partition(": ")
                    event[name] = value
            return None

        yield answer, following


async def _until(following, name):
    while True:
        event = await following()
        if event is None or event[0] == name:
            return event


async def test_only_the_browser_that_began_sees_page_frame_and_events(web, portal):
    await portal.flows.begin()
    for path in ("", "/frame", "/events"):
        stranger = await web.get(f"/sign-in/one{path}", headers={"Cookie": "flow-one=theirs"})
        assert stranger.status_code == 404
    stranger = await web.post("/sign-in/one/renew", headers={"Cookie": "a=b"})
    assert stranger.status_code == 404
    assert (await web.get("/sign-in/one")).status_code == 200


async def test_a_page_says_who_asks_for_what(web, portal):
    await portal.flows.begin()
    page = (await web.get("/sign-in/one")).text.replace("\N{NO-BREAK SPACE}", " ")
    for word in ("Перший вигаданий банк", "Вхід до особистого кабінету", "Ніколи не скануйте код"):
        assert word in page
    english = (await web.get("/sign-in/one?lang=en")).text
    assert "First Made-up Bank" in english
    assert "Never scan a code" in english


async def test_the_page_holds_no_code_and_no_secret(web, portal):
    made = await portal.flows.begin()
    page = (await web.get("/sign-in/one")).text
    assert "/o/" not in page
    assert short(made.offer_id) not in page


async def test_codes_come_each_second_and_the_number_once_a_phone_has_opened_one(web, portal):
    made = await portal.flows.begin()
    async with _told(web) as (answer, following):
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store"
        assert await following() == ("state", '{"status": "open", "number": ""}')
        codes = {(await _until(following, "code"))[1] for _ in range(3)}
        assert len(codes) >= 2
        await portal.offers.become(made.offer_id, OfferStatus.SHOWN, verification_number="0042")
        assert json.loads((await _until(following, "state"))[1]) == {
            "status": "shown",
            "number": "0042",
        }
        await portal.offers.become(made.offer_id, OfferStatus.APPROVED)
        event = await following()
        assert (event[0], json.loads(event[1])["status"]) == ("state", "approved")
        assert await following() is None
    assert (await web.get("/sign-in/one")).headers["Location"] == "/done/one"


async def test_nothing_is_watched_once_nobody_waits(web, portal):
    await portal.flows.begin()
    async with _told(web) as (_, first), _told(web) as (_, second):
        await first()
        await second()
        assert portal.offers.watching == 1
    for _ in range(40):
        if not portal.offers.watching:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the watch goes on")


async def test_a_signer_that_is_away_is_told_and_its_return_too(web, portal):
    await portal.flows.begin()
    async with _told(web) as (_, following):
        await following()
        portal.offers.fails = UnavailableError("away")
        await portal.offers.tell()
        assert (await _until(following, "away")) == ("away", "")
        portal.offers.fails = None
        assert (await _until(following, "state"))[1] == '{"status": "open", "number": ""}'


async def test_an_offer_that_vanished_sends_the_page_to_look(web, portal):
    await portal.flows.begin()
    async with _told(web) as (_, following):
        await following()
        portal.offers.fails = NotFoundError("no such offer")
        await portal.offers.tell()
        assert (await _until(following, "gone")) == ("gone", "")
        assert await following() is None


async def test_more_browsers_than_there_is_room_for_are_told_to_come_back(web, portal, monkeypatch):
    await portal.flows.begin()
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(rooms.MAX_OF_ONE):
            await (await stack.enter_async_context(_told(web)))[1]()
        assert (await web.get("/sign-in/one/events")).status_code == 503
        monkeypatch.setattr(rooms, "MAX_OF_ONE", 100)
        monkeypatch.setattr(rooms, "MAX_WAITING", rooms.MAX_OF_ONE)
        async with _told(web) as (answer, _):
            assert answer.status_code == 200
        monkeypatch.setattr(rooms, "MAX_WAITING", 4)
        assert (await web.get("/sign-in/one/events")).status_code == 503


async def test_a_place_is_counted_back_whatever_happens():
    offers = FakeOffers()
    waiting = Rooms(offers)
    offers.fails = NotFoundError("no such offer")
    for _ in range(3):
        async for room in waiting.listen(OfferId(b"x" * 16)):
            assert room.failed is None or room.failed is offers.fails
    assert (waiting._waiting, waiting._rooms) == (0, {})
    assert waiting._ticker._task is None


async def test_on_the_same_device_there_is_a_button_and_never_a_code(web, portal):
    made = await portal.flows.begin(same_device=True)
    page = (await web.get("/sign-in/one")).text
    link = same_device_link("http://127.0.0.1:7440", made.offer_id, made.link_secret)
    assert f'href="{link}"' in page
    assert "<canvas" not in page
    assert "<svg" not in (await web.get("/sign-in/one/frame")).text
    async with _told(web) as (_, following):
        assert (await following())[0] == "state"
        await portal.offers.become(made.offer_id, OfferStatus.SHOWN, verification_number="0001")
        assert (await following())[0] == "state"


async def test_approved_on_the_same_device_goes_on_by_its_return_code_only(web, portal):
    made = await portal.flows.begin(same_device=True)
    await portal.offers.become(made.offer_id, OfferStatus.APPROVED)
    page = await web.get("/sign-in/one")
    assert page.status_code == 200
    assert "/done/one" not in page.text
    back = return_link("", made.offer_id, made.link_secret)
    stranger = await web.get(back, headers={"Cookie": "flow-one=theirs"})
    assert stranger.status_code == 404
    assert (await web.get(back)).headers["Location"].startswith("/done/one?r=")


@pytest.mark.parametrize("status", ["declined", "expired", "withdrawn", "burned", "consumed"])
async def test_an_offer_that_is_over_says_so_and_leads_on(web, portal, status):
    made = await portal.flows.begin()
    await portal.offers.become(made.offer_id, OfferStatus(status), decline_reason="<b>не те</b>")
    page = (await web.get("/sign-in/one")).text
    assert "&lt;b&gt;не те" in page
    assert "/given-up/one" in page
    assert ("/sign-in/one/renew" in page) is (status != "consumed")


def _token(page):
    return re.search(r'name="form_token" value="([^"]+)"', page).group(1)


async def test_a_new_code_is_made_by_a_form_of_this_page_only(web, portal):
    await portal.flows.begin()
    page = await web.get("/sign-in/one")
    session = page.headers["Set-Cookie"].split(";")[0]
    mine = {"Cookie": f"flow-one=mine; {session}"} | FORM
    body = f"form_token={_token(page.text)}&device=same"
    for refused in ({"content": "device=same"}, {"content": body, "headers": MINE | FORM}):
        answer = await web.post("/sign-in/one/renew", **({"headers": mine} | refused))
        assert answer.status_code == 403
    answer = await web.post("/sign-in/one/renew", headers=mine, content=body)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in/new")
    assert portal.offers.offers[portal.flows.flows["new"].offer_id].same_device


async def test_the_frame_renews_itself_until_it_is_over_and_in_our_page_only(web, portal):
    made = await portal.flows.begin()
    frame = await web.get("/sign-in/one/frame")
    assert "<svg" in frame.text
    assert frame.headers["Refresh"] == "2"
    assert "frame-ancestors 'self'" in frame.headers["Content-Security-Policy"]
    await portal.offers.become(made.offer_id, OfferStatus.SHOWN, verification_number="0042")
    shown = await web.get("/sign-in/one/frame")
    assert "0042" in shown.text
    assert "Refresh" in shown.headers
    await portal.offers.become(made.offer_id, OfferStatus.APPROVED)
    over = await web.get("/sign-in/one/frame")
    assert 'target="_top"' in over.text
    assert "Refresh" not in over.headers


async def test_a_camera_that_opened_the_link_is_told_to_use_the_app(web):
    offer_id, secret = OfferId(secrets.token_bytes(16)), secrets.token_bytes(32)
    page = await web.get(qr_link("", offer_id, secret, 1_800_000_000))
    assert (page.status_code, "Код читає застосунок" in page.text) == (200, True)
    link = same_device_link("", offer_id, secret)
    same = await web.get(link)
    assert "signer-phone open" in same.text
    there = html.unescape(re.search(r'href="(http://localhost[^"]+)"', same.text).group(1))
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(there).query)
    assert query == {"link": [f"http://127.0.0.1:7440{link}"]}


@pytest.mark.parametrize("path", ["/o/x", "/o/x/return?r=y", f"/o/{'A' * 22}/return?r=y"])
async def test_a_broken_link_is_not_found(web, path):
    assert (await web.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"sec-ch-ua-mobile": "?1", "user-agent": "x"}, True),
        ({"sec-ch-ua-mobile": "?0", "user-agent": "iPhone"}, False),
        ({"user-agent": "Mozilla/5.0 (Linux; Android 15; Pixel 9) Mobile Safari"}, True),
        ({"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X)"}, True),
        ({"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"}, False),
        ({}, False),
    ],
)
def test_a_phone_is_guessed_by_what_the_browser_says(headers, same):
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    assert prefers_same_device(Request({"type": "http", "headers": raw})) is same
