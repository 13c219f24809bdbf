"""A person before a window of the browser phone."""

import socket

from mobile_share.simulator.shelf import PhoneId
from tests.fakes.phone_fixtures import PIN
from tests.fakes.phone_world import CODE


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Hand:
    """A person with one window on the phone."""

    def __init__(self, visit, base) -> None:
        self.visit, self.page, self.base = visit, visit.page, base

    async def open(self, path="/"):
        await self.page.goto(self.base + path)

    async def press(self, digits):
        for digit in digits:
            await self.page.click(f'.pad [data-digit="{digit}"]')

    async def send(self, action):
        await self.page.click(f'form[action="{action}"] button:not([type=button])')

    async def check(self):
        await self.page.wait_for_load_state()
        await self.visit.check()

    async def reads(self):
        return await self.page.inner_text("main")

    async def enrol(self):
        await self.open("/enrol")
        await self.page.fill("#code", CODE)
        await self.send("/enrol")
        await self.page.click("button[value=yes]")
        await self.page.wait_for_url("**/enrol/pin")
        await self.page.fill("#pin", PIN)
        await self.page.fill("#again", PIN)
        await self.send("/enrol/pin")
        await self.page.wait_for_selector(".code")


def only_phone(around):
    (shelved,) = around.shelf.list()
    return around.shelf.open(PhoneId(shelved.phone_id))


def ask(around, world, **changes):
    return world.signer.ask(only_phone(around).certificate(), **changes).hex()
