"""docs/partners.md, sign your visitors in: the example as a partner runs it."""

import html
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from deploy.demo.commands import DemoPhone
from deploy.home import REPOSITORY
from deploy.system import System
from grpc_api.clients.partners import NewSandboxPartner
from portal_web.cli.connection import System as Connection
from tests.e2e.test_login import FIREFOX, link_on
from tests.e2e.test_partner_signing import free_port
from tests.e2e.test_sign_in import approve, open_link

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]


@pytest.fixture
def issuer(system: System) -> str:
    return f"http://127.0.0.1:{system.ports['portal']}"


@pytest.fixture
async def shop(system: System, issuer: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at the example's site."""
    port, secret = free_port(), tmp_path / "secret"
    wish = NewSandboxPartner("Книгарня", [f"http://127.0.0.1:{port}/return"])
    async with Connection(system.home.root).partners() as partners:
        made = await partners.create_sandbox(wish)
    secret.write_text(made.secret)
    words = ["-W", "ignore", "-m", "examples.partner_oidc", "--issuer", issuer]
    words += ["--client-id", made.partner_id, "--client-secret-file", str(secret)]
    words += ["--root", str(system.home.public / "root.pem"), "--port", str(port)]
    transport = httpx.AsyncHTTPTransport(retries=12)  # with growing pauses, while it starts
    with subprocess.Popen([sys.executable, *words], cwd=REPOSITORY) as site:
        try:
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=60
            ) as client:
                yield client
        finally:
            site.terminate()


async def test_the_example_greets_who_signed_in(
    shop: httpx.AsyncClient, issuer: str, phone: DemoPhone
) -> None:
    assert "Sign in with your phone" in (await shop.get("/")).text
    away = (await shop.get("/login")).headers["location"]
    async with httpx.AsyncClient(base_url=issuer, headers=FIREFOX, timeout=60) as portal:
        page = await portal.get(away, follow_redirects=True)
        await approve(*await open_link(phone, await link_on(portal, page)))
        done = await portal.get(page.url)
        back = (await portal.get(done.headers["location"])).headers["location"]
    assert (await shop.get(back)).headers["location"] == "/"
    shown = html.unescape((await shop.get("/")).text)
    assert "OpenSSL accepts the signature of" in shown
    assert "TINUA-" in shown
    assert "diia-signer login v1" in shown


async def test_the_example_refuses_an_answer_it_did_not_ask_for(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/return", params={"code": "x" * 43, "state": "another"})
    assert (answer.status_code, "Not signed in" in answer.text) == (403, True)
