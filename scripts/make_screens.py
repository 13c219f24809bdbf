"""Take the pictures of docs/screens anew: `scripts/run python -m scripts.make_screens`.

Pages over made-up offers with fixed times and codes, so that a picture changes only when its page
does. Needs Chromium (`scripts/bootstrap tests`); pictures of another version of it may differ in a
few grey pixels.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Final

from playwright.async_api import Browser, async_playwright

from grpc_api.clients.offers import OfferStatus
from signer_core.protocol.request_kind import RequestKind
from tests.fakes.browsing import COMPUTER, PHONE, Visit, launch, listening, visiting
from tests.fakes.sign_in import sign_in_portal

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "screens"
MAX_BYTES: Final = 150_000
NOW: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Screen:
    """One picture."""

    name: str
    width: int
    scheme: str
    show: Callable[[Visit, SimpleNamespace], Awaitable[None]]
    whole: bool = False  # the page, not only what fits the window


async def home(one: Visit, portal: SimpleNamespace) -> None:
    """Open the start page."""
    await one.page.goto(portal.url)


async def missing(one: Visit, portal: SimpleNamespace) -> None:
    """Open a page that is not there."""
    await one.page.goto(f"{portal.url}/none")


def errand(
    status: OfferStatus = OfferStatus.OPEN,
    kind: RequestKind = RequestKind.AUTH,
    *,
    language: str = "uk",
    same_device: bool = False,
) -> Callable[[Visit, SimpleNamespace], Awaitable[None]]:
    """Open the sign-in page in a state."""

    async def show(one: Visit, portal: SimpleNamespace) -> None:
        made = await portal.flows.begin(kind=kind, same_device=same_device)
        state = {"verification_number": "0427", "decline_reason": "Я цього не просив"}
        if status is not OfferStatus.DECLINED:
            del state["decline_reason"]
        await portal.offers.become(made.offer_id, status, **state)
        cookie = {"name": "flow-one", "value": "mine", "url": portal.url}
        await one.page.context.add_cookies([cookie])
        await one.page.goto(f"{portal.url}/sign-in/one?lang={language}")
        if status is OfferStatus.OPEN and not same_device:
            await one.page.wait_for_selector("#code:visible")

    return show


SCREENS: Final = (
    Screen("home", COMPUTER, "light", home),
    Screen("home-phone", PHONE, "dark", home),
    Screen("missing", PHONE, "light", missing),
    Screen("sign-in", COMPUTER, "light", errand()),
    Screen("sign-in-english", COMPUTER, "dark", errand(language="en")),
    Screen("sign-in-phone", PHONE, "light", errand(same_device=True), whole=True),
    Screen("sign-in-number", COMPUTER, "light", errand(OfferStatus.SHOWN)),
    Screen("sign-in-number-phone", PHONE, "dark", errand(OfferStatus.SHOWN), whole=True),
    Screen("sign-in-declined", PHONE, "light", errand(OfferStatus.DECLINED)),
    Screen("sign-in-expired", PHONE, "dark", errand(OfferStatus.EXPIRED)),
    Screen("sign-in-approved", PHONE, "light", errand(OfferStatus.APPROVED, same_device=True)),
)


async def take(browser: Browser, screen: Screen) -> None:
    """Take one picture of a portal of its own."""
    portal = sign_in_portal(now_s=NOW.timestamp, token_bytes=lambda count: bytes(range(count)))
    async with (
        listening(portal.app) as portal.url,
        visiting(browser, screen.width, screen.scheme) as one,
    ):
        await one.page.clock.set_fixed_time(NOW)
        await screen.show(one, portal)
        await one.check()
        size = (await one.picture(FOLDER, screen.name, whole=screen.whole)).stat().st_size
        if size > MAX_BYTES:
            raise SystemExit(f"{screen.name} has {size} bytes: make it smaller")


async def main() -> None:
    """Take them all, or those that are named."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        for screen in SCREENS:
            if screen.name in sys.argv[1:] or len(sys.argv) == 1:
                await take(browser, screen)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
