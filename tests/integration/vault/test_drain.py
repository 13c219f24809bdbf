"""A vault that is told to stop: judgements get their verdict, idle sessions end, exit code 0."""

import asyncio
import signal
import sqlite3
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy import setup
from deploy.home import Home
from grpc_api.clients.vault import VaultRequestsClient
from signer_core.errors import SignerError, UnavailableError
from signer_core.ports import RequestState
from tests.fakes.vault_process import Deployment

pytestmark = pytest.mark.softhsm


@pytest.fixture(scope="module")
def deployment(tmp_path_factory) -> Deployment:
    home = Home(tmp_path_factory.mktemp("deployment"))
    setup.prepare(home, lambda line: None)
    return Deployment(home)


@contextmanager
def slow_database(path: Path):
    """Hold the one write lock: what the vault wants to commit waits (for 5 s at most)."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.close()


async def opened(deployment, grpc_channel):
    """Return a session that waits for the PIN, and its request."""
    phone = await deployment.enrol(grpc_channel)
    registration = deployment.registration(phone)
    await VaultRequestsClient(grpc_channel).register(registration)
    ask = deployment.ask_for(phone, registration)
    session = await deployment.signing(grpc_channel, phone, ask)
    await session.to_openings()
    return session, registration.request_id


async def test_a_judgement_under_way_ends_and_the_phone_gets_its_signature(deployment):
    async with deployment.running() as process, deployment.grpc() as grpc_channel:
        session, request_id = await opened(deployment, grpc_channel)
        idle, _ = await opened(deployment, grpc_channel)
        with slow_database(deployment.home.of("vault") / "vault.db"):
            judged = asyncio.ensure_future(session.sign())
            await asyncio.sleep(0.5)  # it is at the vault, and waits for the database
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(1)
            async with deployment.grpc() as another:
                with pytest.raises(UnavailableError):
                    await VaultRequestsClient(another).result(request_id)
            assert process.poll() is None
            assert not judged.done()
        await session.acknowledge(await judged)
        with pytest.raises(SignerError):  # nobody waits for a person who is still reading
            await idle.link.channel.receive()
        assert await asyncio.to_thread(process.wait, 20) == 0
    async with deployment.running(), deployment.grpc() as grpc_channel:
        result = await VaultRequestsClient(grpc_channel).result(request_id)
        assert result.state is RequestState.CONSUMED
