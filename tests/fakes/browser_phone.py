"""The browser phone's pages over a deployment in this process, and a browser without script."""

import html
import re
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import httpx
import pytest

from mobile_share.simulator.sandbox import MadeUpPerson
from mobile_share.simulator.shelf import PhoneId, Shelf
from mobile_share.simulator.web.application import make_application
from mobile_share.simulator.web.surroundings import Surroundings
from tests.fakes.citizen import NOW
from tests.fakes.phone_fixtures import PIN
from tests.fakes.phone_world import CODE

PORT = 7442
ORIGIN = f"http://localhost:{PORT}"


class FakeSandbox:
    is_there = True

    async def people(self):
        return [MadeUpPerson("zrazkova", "Зразкова Олена", "Olena Zrazkova", "approves")]

    async def activation_code(self, person_id):
        assert person_id == "zrazkova"
        return CODE


class Browser:
    """Follows redirects, keeps cookies, fills in the token of the page it looks at."""

    def __init__(self, application, token="") -> None:
        transport = httpx.ASGITransport(application)
        self.client = httpx.AsyncClient(transport=transport, base_url=ORIGIN, follow_redirects=True)
        self.token = token
        self.page = None

    async def get(self, path):
        return self._look(await self.client.get(path))

    async def post(self, path, /, *pairs, headers=(), **fields):
        content = urlencode([("token", self.token), *pairs, *fields.items()])
        own = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
        answer = await self.client.post(path, content=content, headers=own | dict(headers))
        return self._look(answer)

    def _look(self, answer):
        self.page = answer
        if found := re.search(r'data-token="([^"]+)"', answer.text):
            self.token = found[1]
        return html.unescape(answer.text)

    @property
    def path(self):
        return self.page.url.raw_path.decode()

    def shown(self):
        """The hidden fields that say what the page showed."""
        return [
            ("shown", one) for one in re.findall(r'name="shown" value="([^"]+)"', self.page.text)
        ]

    async def enrol(self, pin=PIN):
        await self.get("/enrol")
        await self.post("/enrol", code=CODE)
        await self.post("/enrol/you", answer="yes")
        return await self.post("/enrol/pin", pin=pin, again=pin)


@pytest.fixture
def around(world, tmp_path):
    @asynccontextmanager
    async def connect(_):
        yield world.signer

    shelf = Shelf(tmp_path / "phones", lambda: world.deployment)
    return Surroundings(shelf, FakeSandbox(), connect, connect, lambda: NOW)


@pytest.fixture
def application(around):
    return make_application(around, PORT)


@pytest.fixture
async def browser(application):
    one = Browser(application)
    async with one.client:
        yield one


@pytest.fixture
async def owner(browser, around):
    """A browser whose phone is enrolled, in English."""
    await browser.enrol()
    await browser.post("/language", language="en", path="/")
    (shelved,) = around.shelf.list()
    browser.phone = around.shelf.open(PhoneId(shelved.phone_id))
    return browser
