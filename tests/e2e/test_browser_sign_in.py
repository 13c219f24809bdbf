"""A whole login in Chromium, by the real processes: the sign-in page, the phone in the browser.

Nothing but windows: what a person sees, presses, and holds the phone before.
"""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from playwright.async_api import Browser, Page, Request, async_playwright
from playwright.async_api import Error as PlaywrightError

from deploy.system import System
from tests.e2e.conftest import PIN
from tests.e2e.test_browser_phone import enrol_by_the_sandbox
from tests.fakes.browsing import COMPUTER, PHONE, Visit, launch, visiting
from tests.fakes.camera import hold_camera, point_at
from tests.fakes.phone_hand import Hand

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm, pytest.mark.browser]

PERSON = "khmarochos"  # nobody else's in these tests
BACK = "http://127.0.0.1:8080/return"


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()


async def begin(one: Visit, system: System) -> None:
    """Come from a partner's link."""
    query = {
        "response_type": "code",
        "client_id": "sandbox-bank",
        "redirect_uri": BACK,
        "scope": "openid profile",
        "state": "s-1",
        "nonce": secrets.token_hex(8),
        "code_challenge": create_s256_code_challenge(secrets.token_urlsafe(32)),
        "code_challenge_method": "S256",
    }
    issuer = f"http://127.0.0.1:{system.ports['portal']}"
    await one.page.goto(f"{issuer}/oauth/authorize?{urlencode(query)}")
    await one.page.wait_for_url("**/sign-in/*")


async def hold_before(phone: Page, computer: Page) -> None:
    """Hold the phone's camera before the page's code, as it changes, until it was read."""
    await phone.click("#scanner button")
    while await computer.is_visible("#code"):
        with contextlib.suppress(PlaywrightError):  # it was read this very moment
            await point_at(phone, await computer.locator("#code").screenshot(timeout=2000))
        await asyncio.sleep(0.3)
    await phone.wait_for_url("**/requests/*")


async def approve(hand: Hand) -> None:
    await hand.page.click("a.button:not(.second)")
    await hand.press(PIN)
    await hand.send("/approve")


def is_back(request: Request) -> bool:
    """Tell whether the browser asks the partner, who need not be there to answer."""
    return request.url.startswith(BACK)


def came_back(request: Request, system: System) -> None:
    query = parse_qs(urlsplit(request.url).query)
    issuer = f"http://127.0.0.1:{system.ports['portal']}"
    assert (query["state"], query["iss"]) == (["s-1"], [issuer])
    assert len(query["code"][0]) >= 22


async def test_a_person_scans_the_page_and_it_moves_on(system: System, chromium: Browser) -> None:
    async with visiting(chromium, PHONE) as one, visiting(chromium, COMPUTER) as two:
        hand = Hand(one, f"http://localhost:{system.ports['simulator']}")
        await enrol_by_the_sandbox(hand, PERSON)
        await begin(two, system)
        await two.page.wait_for_selector("#code:visible")
        await hold_camera(hand.page)
        await hand.open("/scan")
        await asyncio.wait_for(hold_before(hand.page, two.page), 60)
        await two.page.wait_for_selector("#number:visible")
        assert await two.page.inner_text("#number") in await hand.reads()
        assert "Вигаданий банк" in await hand.reads()
        await two.check()
        async with two.page.expect_request(is_back, timeout=60_000) as asked:
            await approve(hand)
        came_back(await asked.value, system)
        await only_the_phone(one, hand, system)


async def only_the_phone(one: Visit, hand: Hand, system: System) -> None:
    """App and browser are on the same phone: a button leads there, and a link back."""
    await begin(one, system)
    await one.page.click("text=Застосунок на цьому ж пристрої")
    await one.page.click("text=Відкрити застосунок")
    await one.page.click("text=Відкрити телефон у браузері")
    await one.page.wait_for_selector("#link")
    await one.page.click('form[action="/scan/link"] button')
    await one.page.wait_for_url("**/requests/*")
    await approve(hand)
    await one.page.wait_for_selector("h1.good", timeout=60_000)
    async with one.page.expect_request(is_back, timeout=30_000) as asked:
        await one.page.click("a.button[href*='/return?r=']")
    came_back(await asked.value, system)
