"""Two vaults and two signers on one PostgreSQL, as processes: any of them may be killed."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from deploy import readiness
from deploy.demo.commands import Caller
from deploy.home import REPOSITORY, Home
from deploy.layout import Layout
from deploy.system import System, running
from grpc_api.clients.signing import SigningClient
from grpc_api.clients.status import RequestStatus
from grpc_api.credentials import internal_channel
from grpc_api.settings import TlsSettings
from mobile_share.deployment import Deployment
from mobile_share.phone import Phone
from signer_core.errors import SignerError, UnavailableError
from signer_core.identifiers import RequestId
from tests.crash.world import PIN, CrashWorld
from tests.fixtures.postgres import BACKENDS, OwnServer, connect

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.softhsm,
    pytest.mark.skipif("postgresql" not in BACKENDS, reason="there is no PostgreSQL"),
]

GONE_S = 10


@pytest.fixture(scope="module")
def database() -> Iterator[OwnServer]:
    with OwnServer() as server:
        asyncio.run(make_databases(server))
        yield server


async def make_databases(server: OwnServer) -> None:
    connection = await connect(server.url)
    for role in ("registrar", "vault", "signer"):
        await connection.execute(f"CREATE DATABASE {role}")
    await connection.close()


@pytest.fixture(scope="module")
def both(database: OwnServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrashWorld]:
    url = database.url.replace("/postgres?", "/{process}?")
    layout = Layout(vaults=2, signers=2, database=url)
    home = Home(tmp_path_factory.mktemp("both"))
    with running(home, lambda _: None, layout) as system:
        person = Caller(home).find_person("approves")
        pdf = REPOSITORY / "tests" / "assets" / "one_page.pdf"
        yield CrashWorld(system, home.run, person, pdf)


@pytest.fixture
async def phone(both: CrashWorld, tmp_path) -> Phone:
    serve_again(both.system)
    return await both.citizen(tmp_path)


def serve_again(system: System) -> None:
    readiness.wait_until_serving(system.home, system.ports, system.supervisor)


def kill(system: System, name: str) -> None:
    (process,) = (one for one in system.supervisor.find_processes() if one.name == name)
    os.kill(process.pid, signal.SIGKILL)


def at(phone: Phone, system: System, number: int) -> Phone:
    """Return the same phone, speaking to another signer."""
    pinned = system.home.public / ("deployment.json" if number == 1 else "deployment-2.json")
    return Phone(phone.folder, phone.key_store, Deployment.read(pinned))


@asynccontextmanager
async def signing_at(system: System, number: int) -> AsyncIterator[SigningClient]:
    folder = system.home.tls("portal")
    tls = TlsSettings(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")
    port = system.ports["internal" if number == 1 else f"internal-{number}"]
    async with internal_channel(f"127.0.0.1:{port}", "signer.internal", tls) as channel:
        yield SigningClient(channel)


async def status_at(both: CrashWorld, number: int, request_id: RequestId) -> RequestStatus:
    async with signing_at(both.system, number) as signing:
        return (await signing.get(request_id)).status


async def test_a_request_of_one_signer_is_signed_at_the_other_and_seen_at_both(both, phone):
    request_id = await both.request()
    await both.sign(at(phone, both.system, 2), request_id)
    for number in (1, 2):
        assert await status_at(both, number, request_id) is RequestStatus.CONSUMED
    assert b"/ByteRange" in await both.signed_pdf(request_id)


async def test_who_watches_at_one_signer_sees_what_is_signed_at_the_other(both, phone):
    request_id = await both.request()

    async def last_status(number: int) -> RequestStatus:
        async with signing_at(both.system, number) as signing:
            return [seen.status async for seen in signing.watch(request_id)][-1]

    watching = [asyncio.create_task(last_status(number)) for number in (1, 2)]
    await asyncio.sleep(0.3)
    await both.sign(at(phone, both.system, 2), request_id)
    async with asyncio.timeout(5):
        assert await asyncio.gather(*watching) == [RequestStatus.CONSUMED] * 2


async def test_a_signer_killed_while_a_person_thinks_costs_nothing(both, phone):
    request_id = await both.request()
    async with both.prepared(phone, request_id) as session:
        kill(both.system, "signer")
        with pytest.raises(SignerError):
            await session.sign(PIN)
    outcome = await both.sign(at(phone, both.system, 2), request_id)
    assert (outcome.signatures, outcome.wrong_tries) == (1, 0)


async def test_a_signer_killed_after_the_pin_leaves_one_signature_that_the_other_finds(both, phone):
    request_id = await both.request()
    async with both.prepared(phone, request_id) as session:
        signing = asyncio.create_task(session.sign(PIN))
        await asyncio.sleep(secrets.randbelow(20) / 1000)
        kill(both.system, "signer")
        with suppress(SignerError):
            await signing
    second = at(phone, both.system, 2)
    if await status_at(both, 2, request_id) is RequestStatus.OPEN:  # died before the vault judged
        await both.sign(second, request_id)
    assert await status_at(both, 2, request_id) is RequestStatus.CONSUMED
    assert (await both.sign(second, await both.request())).wrong_tries == 0


async def test_a_killed_vault_is_passed_over(both, phone):
    request_id = await both.request()
    kill(both.system, "vault-2")
    outcome = await both.sign(phone, request_id)
    assert outcome.signatures == 1


async def test_a_database_that_is_gone_for_ten_seconds_loses_nothing(both, phone, database):
    request_id = await both.request()
    database.kill()
    with pytest.raises(UnavailableError):
        await both.ask_once("meanwhile")
    await asyncio.sleep(GONE_S)
    database.start()
    async with asyncio.timeout(30):
        outcome = await both.sign(phone, request_id)
    assert (outcome.signatures, outcome.wrong_tries) == (1, 0)
    said = b"".join(log.read_bytes() for log in both.system.home.logs.glob("*.jsonl"))
    assert b"Traceback" not in said
