"""Two vault processes on one PostgreSQL and one token: a key's rules hold over both."""

import asyncio
import signal
from contextlib import AsyncExitStack

import pytest

from deploy import setup
from deploy.home import Home
from deploy.layout import Layout
from grpc_api.clients.vault import VaultKeysClient, VaultRequestsClient
from hsm_module.storage.store import MIGRATIONS
from signer_core.errors import (
    BusyError,
    InvalidRequestError,
    KeyHeldError,
    PinRejectedError,
    ProtocolAbortError,
    UnavailableError,
)
from signer_core.ports import RequestState
from signer_core.protocol.curve import Scalar
from signer_core.protocol.transcript import Q
from tests.fakes.vault_process import Deployment
from tests.fixtures.postgres import BACKENDS, connect

pytestmark = [
    pytest.mark.softhsm,
    pytest.mark.skipif("postgresql" not in BACKENDS, reason="there is no PostgreSQL"),
]

# The vaults' clock in SQL, found before PostgreSQL's own: tests turn it.
CLOCK = """
CREATE TABLE public.turned (ahead interval NOT NULL);
INSERT INTO public.turned VALUES ('0 s');
CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
  AS 'SELECT pg_catalog.clock_timestamp() + ahead FROM public.turned';
"""


class Two:
    """Both vaults with their channels; `first` and `second` may be killed."""

    def __init__(self, home, url):
        self.url = url
        self.first, self.second = Deployment(home), Deployment(home, "vault-2")

    async def start(self, stack):
        self.processes = {}
        self.channels = {}
        for vault in (self.first, self.second):
            process = vault.start()
            stack.callback(process.communicate, timeout=30)
            stack.callback(process.send_signal, signal.SIGTERM)
            await vault.wait_until_listening(process)
            self.processes[vault.name] = process
            self.channels[vault.name] = await stack.enter_async_context(vault.grpc())

    async def kill(self, vault):
        self.processes[vault.name].kill()
        await asyncio.to_thread(self.processes[vault.name].wait)

    def requests(self, vault):
        return VaultRequestsClient(self.channels[vault.name])

    async def key(self, phone, vault=None):
        channel = self.channels[(vault or self.second).name]
        return await VaultKeysClient(channel).key_state(phone.key_id)

    async def enrol(self):
        return await self.first.enrol(self.channels["vault"])

    async def ask(self, phone, vault=None):
        registration = self.first.registration(phone)
        await self.requests(vault or self.second).register(registration)
        return self.first.ask_for(phone, registration)

    async def signing(self, phone, ask, vault):
        return await vault.signing(self.channels[vault.name], phone, ask)

    async def try_pin(self, phone, ask, vault, x2):
        session = await self.signing(phone.copy(), ask, vault)
        await session.to_openings()
        return await session.sign(x2)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return Home(tmp_path_factory.mktemp("two"))


@pytest.fixture
async def two(home, postgres_server):
    database = await postgres_server.take(MIGRATIONS)  # and keep it: its clock is ours
    url = postgres_server.at(database)
    connection = await connect(url)
    await connection.execute(CLOCK)
    await connection.execute(f"ALTER DATABASE {database} SET search_path = public, pg_catalog")
    await connection.close()
    for marks in home.of("vault").glob("high-water-marks*"):
        marks.unlink()  # of the test before: this one has a database of its own
    await asyncio.to_thread(setup.prepare, home, lambda _: None, Layout(vaults=2, database=url))
    made = Two(home, url)
    async with AsyncExitStack() as stack:
        await made.start(stack)
        yield made


async def test_wrong_pins_in_parallel_over_both_are_never_undercounted(two):
    phone = await two.enrol()
    ask = await two.ask(phone)
    wrong, answers = Scalar((phone.x2 + 1) % Q), []
    while not any(isinstance(one, KeyHeldError) for one in answers):
        vaults = (two.first, two.second) * 3
        answers += await asyncio.gather(
            *(two.try_pin(phone, ask, vault, wrong) for vault in vaults), return_exceptions=True
        )
        rejected = [one.attempts_left for one in answers if isinstance(one, PinRejectedError)]
        assert (await two.key(phone)).attempts_left == 9 - len(rejected)
        assert sorted(rejected) == list(range(9 - len(rejected), 9))  # each try was seen once
    assert len(rejected) == 3
    kinds = (PinRejectedError, KeyHeldError, ProtocolAbortError)
    assert all(isinstance(one, kinds) for one in answers)


async def test_one_request_is_signed_once_over_both(two):
    phone = await two.enrol()
    for _ in range(4):
        ask = await two.ask(phone)
        before = (await two.key(phone)).signatures
        sessions = [await two.signing(phone.copy(), ask, v) for v in (two.first, two.second)]
        for session in sessions:
            await session.to_openings()
        done = await asyncio.gather(*(one.sign() for one in sessions), return_exceptions=True)
        lost = [one for one in done if isinstance(one, Exception)]
        assert len(lost) == 1
        assert isinstance(lost[0], ProtocolAbortError | InvalidRequestError)
        assert (await two.key(phone)).signatures == before + 1
        winner = next(s for s, d in zip(sessions, done, strict=True) if d not in lost)
        await winner.acknowledge(next(one for one in done if one not in lost))
        phone = winner.phone
        with pytest.raises(InvalidRequestError, match="signed already"):
            await two.try_pin(phone, ask, two.first, phone.x2)


async def test_a_step_3_at_one_vault_ends_the_older_session_at_the_other(two):
    phone = await two.enrol()
    ask = await two.ask(phone)
    older = await two.signing(phone.copy(), ask, two.first)
    await older.to_openings()
    newer = await two.signing(phone, ask, two.second)
    await newer.to_openings()
    with pytest.raises(ProtocolAbortError, match="newer session"):
        await older.sign(Scalar((phone.x2 + 1) % Q))
    assert (await two.key(phone)).attempts_left == 9
    await newer.sign()


async def test_while_one_is_killed_the_other_goes_on(two):
    phone, other_phone = await two.enrol(), await two.enrol()
    ask, other_ask = await two.ask(phone), await two.ask(other_phone)
    dying = await two.signing(phone.copy(), ask, two.first)
    await dying.to_openings()
    reading = await two.signing(other_phone, other_ask, two.second)
    await reading.to_openings()
    await two.kill(two.first)
    with pytest.raises(UnavailableError):
        await dying.sign()
    await reading.sign()
    await (await two.signing(phone, ask, two.second)).run()  # the lost session cost nothing
    assert (await two.key(phone)).attempts_left == 9


async def test_a_judgement_of_a_killed_vault_is_busy_then_unresolved_at_the_other(two):
    phone = await two.enrol()
    ask = await two.ask(phone)
    connection = await connect(two.url)
    try:
        dying = await two.signing(phone.copy(), ask, two.first)
        await dying.to_openings()
        await connection.execute(SLOW_COUNT)
        answer = asyncio.create_task(dying.sign())
        await kill_while_judging(two, connection, phone)
        with pytest.raises(UnavailableError):
            await answer
        with pytest.raises(BusyError):
            await two.try_pin(phone, ask, two.second, phone.x2)
        assert (
            await two.requests(two.second).result(ask.request_id)
        ).state is RequestState.RESERVED
        await connection.execute("UPDATE turned SET ahead = '61 s'")
        assert (await two.requests(two.second).result(ask.request_id)).state is RequestState.BURNED
        assert (await two.key(phone)).attempts_left == 8  # the try stays counted
        row = await connection.fetchrow("SELECT * FROM keys WHERE key_id = $1", phone.key_id)
        assert (row["unresolved"], row["judging_sid"]) == (1, None)
        await (await two.signing(phone, await two.ask(phone), two.second)).run()
    finally:
        await connection.close()


# The count's own transaction is held up, so that whoever asks for its row is next in turn.
SLOW_COUNT = """
CREATE FUNCTION wait_a_little() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END';
CREATE TRIGGER slow_count AFTER UPDATE ON keys FOR EACH ROW
WHEN (OLD.judging_sid IS NULL AND NEW.judging_sid IS NOT NULL) EXECUTE FUNCTION wait_a_little()
"""


async def kill_while_judging(two, connection, phone):
    """Kill the first vault after it counted, while it cannot write its verdict."""
    query = "SELECT judging_sid FROM keys WHERE key_id = $1 FOR UPDATE"
    async with asyncio.timeout(20):
        while True:
            async with connection.transaction():
                if await connection.fetchval(query, phone.key_id) is not None:
                    await two.kill(two.first)
                    return
