"""Chromium with a fake camera before the browser phone."""

from contextlib import asynccontextmanager

import pytest
from playwright.async_api import async_playwright

from mobile_share.simulator.web.application import make_application
from tests.fakes.browsing import PHONE, launch, listening, visiting
from tests.fakes.camera import qr_png, write_film
from tests.fakes.phone_fixtures import PIN
from tests.fakes.phone_hand import Hand, free_port


@pytest.fixture
def camera_on(around, tmp_path):
    """`async with camera_on(text) as hand`: a window whose camera sees the text as a QR code."""

    @asynccontextmanager
    async def open_window(see, scheme="light"):
        port = free_port()
        async with async_playwright() as playwright, _serve(around, port):
            film = tmp_path / "film.y4m"
            write_film(film, qr_png("nothing yet"))
            browser = await launch(
                playwright,
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={film}",
            )
            async with visiting(browser, PHONE, scheme, permissions=["camera"]) as one:
                hand = Hand(one, f"http://localhost:{port}")
                await hand.enrol()
                write_film(film, qr_png(see()))
                await hand.open("/scan")
                yield hand
            await browser.close()

    return open_window


def _serve(around, port):
    return listening(make_application(around, port), port)


async def test_a_code_before_the_camera_opens_the_request_and_is_signed(camera_on, world):
    offers = world.signer.offers
    async with camera_on(lambda: offers.make("auth").qr()) as hand:
        await hand.check()
        await hand.page.click("#scanner button")
        await hand.page.wait_for_url("**/requests/*")
        (offer,) = offers.by_id.values()
        assert "Example Bank" in await hand.reads()
        assert world.signer.requests[offer.request_id].initiator in await hand.reads()
        await hand.check()
        await hand.page.click("a.button:not(.second)")
        await hand.press(PIN)
        await hand.send("/approve")
        await hand.page.wait_for_selector("h1.good")
        assert offer.request_id in world.vault.results


async def test_a_code_of_another_system_is_said_and_the_camera_goes_on(camera_on, world):
    async with camera_on(lambda: "https://evil.example/o/x?t=1&c=2") as hand:
        await hand.page.click("#scanner button")
        says = hand.page.locator("#scanner [role=status]")
        await says.filter(has_text="не з нашої системи").wait_for()
        assert await hand.page.is_visible("video")
        await hand.page.click("#scanner button:visible")  # off
        assert not await hand.page.is_visible("video")
        await hand.check()


async def test_without_a_camera_the_page_says_what_else_there_is(phone_in):
    async with phone_in(permissions=[]) as hand:
        await hand.enrol()
        await hand.open("/scan")
        await hand.page.click("#scanner button")
        says = hand.page.locator("#scanner [role=status]")
        await says.filter(has_text="Камери немає").wait_for()
        await hand.check()


async def test_a_human_is_confirmed_by_a_button(phone_in, world):
    async with phone_in() as hand:
        await hand.enrol()
        offer = world.signer.offers.make("antibot", same_device=True)
        await hand.open("/scan")
        await hand.page.fill("#link", offer.button())
        await hand.send("/scan/link")
        await hand.page.wait_for_url("**/requests/*")
        await hand.check()
        await hand.send(f"/requests/{offer.request_id.hex()}/confirm")
        await hand.page.wait_for_selector("h1.good")
        assert await hand.page.get_attribute("main a.button", "href") == offer.way_back()
        await hand.check()
        await hand.open("/history")
        await hand.check()
