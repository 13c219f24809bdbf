"""docs/flows/phone-browser.md: the real processes, Chromium, a camera before a living QR code."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright

from deploy.system import System
from grpc_api.clients.offers import CreatedOffer, NewOffer, OffersClient, OfferStatus
from portal_web.cli.connection import System as Connection
from signer_core.protocol.offer_link import qr_link, return_link, same_device_link
from signer_core.protocol.request_kind import RequestKind
from tests.e2e.conftest import PIN
from tests.fakes.browsing import PHONE, launch, visiting
from tests.fakes.camera import hold_camera, point_at, qr_png
from tests.fakes.phone_hand import Hand

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm, pytest.mark.browser]

PERSON = "shchaslyva"  # nobody else's in these tests: their phones stay theirs
STATEMENT = "a login at the bank, v1\nhttps://sign.example\nsandbox-bank\n-"


@pytest.fixture
async def offers(system: System) -> AsyncIterator[OffersClient]:
    async with Connection(system.home.root).offers() as client:
        yield client


async def login(offers: OffersClient, *, same_device: bool = False) -> CreatedOffer:
    wanted = NewOffer(
        relying_party_id="sandbox-bank",
        kind=RequestKind.AUTH,
        purpose="Вхід до кабінету",
        idempotency_key=secrets.token_hex(16),
        challenge=hashlib.sha256(STATEMENT.encode()).digest(),
        statement=STATEMENT,
        same_device=same_device,
    )
    return await offers.create(wanted)


async def enrol_by_the_sandbox(hand: Hand, person: str = PERSON) -> None:
    """From nothing to a phone, without a terminal."""
    await hand.open("/enrol")
    await hand.page.select_option("#person", person)
    await hand.page.click("button.second")
    await hand.page.wait_for_selector(".notice")
    await hand.send("/enrol")
    await hand.page.click("button[value=yes]")
    await hand.page.wait_for_url("**/enrol/pin")
    await hand.press(PIN + PIN)
    await hand.send("/enrol/pin")
    await hand.page.wait_for_selector(".code")


async def scan(page: Page, offer: CreatedOffer, public_url: str) -> None:
    """Hold the phone before a code that changes every second, until it has read one."""
    await page.click("#scanner button")
    while "/requests/" not in page.url:
        now_s = int(time.time())
        link = qr_link(public_url, offer.offer_id, offer.link_secret, now_s)
        await point_at(page, qr_png(link))
        await asyncio.sleep(0.7)


async def test_a_person_enrols_scans_and_signs_in(system: System, offers: OffersClient) -> None:
    base = f"http://localhost:{system.ports['simulator']}"
    public_url = f"http://127.0.0.1:{system.ports['portal']}"
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        async with visiting(browser, PHONE) as one:
            hand = Hand(one, base)
            await enrol_by_the_sandbox(hand)
            offer = await login(offers)
            await hold_camera(hand.page)
            await hand.open("/scan")
            await asyncio.wait_for(scan(hand.page, offer, public_url), 60)
            state = (await offers.get(offer.offer_id)).state
            assert state.status is OfferStatus.SHOWN
            assert state.verification_number in await hand.reads()
            await hand.check()
            await hand.page.click("a.button:not(.second)")
            await hand.press("48214")
            await hand.send("/approve")
            await hand.page.wait_for_selector(".notice.bad", timeout=60_000)
            await hand.press(PIN)
            await hand.send("/approve")
            await hand.page.wait_for_selector("h1.good", timeout=60_000)
            assert (await offers.get(offer.offer_id)).state.status is OfferStatus.APPROVED
            result = await offers.collect(offer.offer_id, b"c" * 32)
            assert len(result.signatures) == 1
            await hand.open("/history")
            assert "Вхід до кабінету" in await hand.reads()
        await browser.close()


async def test_a_login_begun_on_the_phone_itself_leads_there_and_back(
    system: System, offers: OffersClient
) -> None:
    base = f"http://localhost:{system.ports['simulator']}"
    public_url = f"http://127.0.0.1:{system.ports['portal']}"
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        async with visiting(browser, PHONE) as one:
            hand = Hand(one, base)
            await enrol_by_the_sandbox(hand)
            offer = await login(offers, same_device=True)
            known = offer.offer_id, offer.link_secret
            await hand.page.goto(same_device_link(public_url, *known))  # the portal's own page
            await hand.check()
            await hand.page.click(f'a[href^="{base}/open"]')
            await hand.page.wait_for_url(f"{base}/open**")
            assert (await offers.get(offer.offer_id)).state.status is OfferStatus.OPEN
            await hand.check()
            await hand.send("/scan/link")
            await hand.page.wait_for_url("**/requests/*")
            await hand.page.click("a.button:not(.second)")
            await hand.press(PIN)
            await hand.send("/approve")
            await hand.page.wait_for_selector("h1.good", timeout=60_000)
            way_back = await hand.page.get_attribute("main a.button", "href")
            assert way_back == return_link(public_url, *known)
        await browser.close()
