"""Take the pictures of the browser phone anew: `scripts/run python -m scripts.make_phone_screens`.

The real processes of a system of its own, so numbers and codes in them differ each time.
"""

import asyncio
import hashlib
import secrets
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from deploy.home import REPOSITORY, Home
from deploy.system import System, running
from grpc_api.clients.offers import NewOffer
from portal_web.cli.connection import System as Connection
from signer_core.protocol.offer_link import same_device_link
from signer_core.protocol.request_kind import RequestKind
from tests.fakes.browsing import PHONE, launch, visiting
from tests.fakes.phone_hand import Hand

FOLDER = REPOSITORY / "docs/screens"
PIN = "58312"
IN_THE_DARK = ("approve", "request")
STATEMENT = "a login at the bank, v1\nhttps://sign.example\nsandbox-bank\n-"


async def link_of_login(system: System) -> str:
    """Return the link of an offer that a partner makes."""
    wanted = NewOffer(
        relying_party_id="sandbox-bank",
        kind=RequestKind.AUTH,
        purpose="Вхід до особистого кабінету",
        idempotency_key=secrets.token_hex(16),
        challenge=hashlib.sha256(STATEMENT.encode()).digest(),
        statement=STATEMENT,
        same_device=True,
    )
    async with Connection(system.home.root).offers() as offers:
        offer = await offers.create(wanted)
    public_url = f"http://127.0.0.1:{system.ports['portal']}"
    return same_device_link(public_url, offer.offer_id, offer.link_secret)


async def enrol(hand: Hand, snap: "Camera") -> None:
    """Enrol a made-up person, with pictures."""
    await hand.open("/enrol")
    await hand.page.click("button.second")
    await hand.page.wait_for_selector(".notice")
    await snap("enrol")
    await hand.send("/enrol")
    await hand.page.click("button[value=yes]")
    await hand.page.wait_for_url("**/enrol/pin")
    await hand.press(PIN)
    await snap("pin")
    await hand.press(PIN)
    await hand.send("/enrol/pin")
    await hand.page.wait_for_selector(".code", timeout=60_000)


async def sign_in(hand: Hand, system: System, snap: "Camera") -> None:
    """Open a link, look, approve, with pictures."""
    await hand.open("/scan")
    await snap("scan")
    await hand.page.fill("#link", await link_of_login(system))
    await hand.send("/scan/link")
    await hand.page.wait_for_url("**/requests/*")
    await snap("request")
    await hand.open("/")
    await snap("home")
    await hand.page.click(".card a")
    await hand.page.click("a.button:not(.second)")
    await hand.press(PIN[:3])
    await snap("approve")
    await hand.press(PIN[3:])
    await hand.send("/approve")
    await hand.page.wait_for_selector("h1.good", timeout=60_000)
    await snap("done")
    await hand.open("/settings")
    await snap("settings")


class Camera:
    """Takes pictures of a hand's page."""

    def __init__(self, hand: Hand, scheme: str) -> None:
        self._hand, self._scheme = hand, scheme

    async def __call__(self, name: str) -> None:
        """Check the page, then take its picture."""
        await self._hand.check()
        if self._scheme == "dark" and name not in IN_THE_DARK:
            return
        await self._hand.visit.picture(FOLDER, f"phone-{name}-{self._scheme}")


async def take(system: System) -> None:
    """Take the pictures, light and dark."""
    base = f"http://localhost:{system.ports['simulator']}"
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        for scheme in ("light", "dark"):
            async with visiting(browser, PHONE, scheme) as one:
                hand = Hand(one, base)
                snap = Camera(hand, scheme)
                await enrol(hand, snap)
                await sign_in(hand, system, snap)
        await browser.close()


def main() -> None:
    """Start a system in a temporary folder, take the pictures, stop it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Home(Path(folder)), lambda _: None) as system,
    ):
        asyncio.run(take(system))


if __name__ == "__main__":
    main()
