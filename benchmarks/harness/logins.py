"""Whole logins: browser, phone and partner of each in one coroutine, in processes of their own."""

import asyncio
import html
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from benchmarks.harness.logins_http import BACK, CHALLENGE, VERIFIER, authorization
from benchmarks.harness.population import PIN, Member, work_out_factors_first
from mobile_share.claiming import find_way_back
from mobile_share.cli.context import SANDBOX_PHOTO
from mobile_share.cli.screen import now_utc
from mobile_share.deployment import Deployment
from mobile_share.keystore import FileKeyStore
from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.signing import fetch_request, prepare
from mobile_share.wire import signer_client
from signer_core.protocol.offer_link import parse_link

__all__ = ["BACK", "CHALLENGE", "VERIFIER", "Done", "Plan", "log_in_all"]

ANDROID = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36"}


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process of people does."""

    deployment: Path
    issuer: str
    client_id: str
    secret: str = field(repr=False)
    members: Sequence[Member]
    logins: int
    at_once: int


@dataclass(slots=True)
class Done:
    """How long each step took, in ms, in every login."""

    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step."""
        begun = time.perf_counter()
        yield
        self.steps[name].append(1000 * (time.perf_counter() - begun))


@dataclass(frozen=True, slots=True)
class _Person:
    phone: Phone
    signer: SignerClient
    browser: httpx.AsyncClient


def log_in_all(plan: Plan, pipe: object) -> None:
    """Run a plan: say "ready", wait for a word, log in, answer with the steps."""
    work_out_factors_first(argon2id=False)
    asyncio.run(_log_in_all(plan, pipe))


async def _log_in_all(plan: Plan, pipe: object) -> None:
    deployment = Deployment.read(plan.deployment)
    people: asyncio.Queue[_Person] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        for one in plan.members:
            people.put_nowait(await _person(plan, deployment, one, stack))
        await _when_told(plan, people, pipe)


async def _person(
    plan: Plan, deployment: Deployment, member: Member, stack: AsyncExitStack
) -> _Person:
    """Open the app and the browser; their connections stay open."""
    phone = Phone(member.folder, FileKeyStore(member.folder), deployment)
    signer = await stack.enter_async_context(signer_client(phone))
    await signer.get_status()
    browser = httpx.AsyncClient(base_url=plan.issuer, headers=ANDROID, timeout=60)
    return _Person(phone, signer, await stack.enter_async_context(browser))


async def _when_told(plan: Plan, people: "asyncio.Queue[_Person]", pipe: object) -> None:
    done, left = Done(), iter(range(plan.logins))
    pipe.send("ready")  # type: ignore[attr-defined]  # a multiprocessing connection
    await asyncio.to_thread(pipe.recv)  # type: ignore[attr-defined]  # as above

    async def one_after_another() -> None:
        for _ in left:
            person = await people.get()
            with done.step("whole login"):
                await _log_in(plan, done, person)
            person.browser.cookies.clear()
            people.put_nowait(person)

    await asyncio.gather(*(one_after_another() for _ in range(plan.at_once)))
    pipe.send(dict(done.steps))  # type: ignore[attr-defined]  # as above


async def _log_in(plan: Plan, done: Done, person: _Person) -> None:
    browser = person.browser
    with done.step("authorize"):
        begun = await browser.get("/oauth/authorize", params=authorization(plan.client_id))
    with done.step("sign-in page"):
        page = await browser.get(begun.headers["location"])
    found = re.search(r'href="([^"]*/o/[^"]*d=[^"]*)"', page.text)
    assert found is not None, page.text
    with done.step("phone: open, check"):
        request_id = await person.signer.claim_offer(parse_link(html.unescape(found[1])))
        request = await fetch_request(person.phone, person.signer, request_id, now_utc())
    with done.step("phone: photo, PIN, sign"):
        async with prepare(person.phone, person.signer, request, SANDBOX_PHOTO) as prepared:
            await prepared.sign(PIN)
    with done.step("phone: way back"):
        way_back = await find_way_back(person.phone, person.signer, request)
    with done.step("browser: back, code"):
        returned = await browser.get(way_back)
        back = await browser.get(returned.headers["location"])
    query = dict(httpx.QueryParams(urlsplit(back.headers["location"]).query))
    with done.step("token"):
        form = {"grant_type": "authorization_code", "code": query["code"]}
        form |= {"redirect_uri": BACK, "code_verifier": VERIFIER}
        auth = (plan.client_id, plan.secret)
        tokens = await browser.post("/oauth/token", data=form, auth=auth)
    assert tokens.json()["id_token"]
