"""Live status over several signer processes on one PostgreSQL."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from signer_core.signing.notices import Notices
from signer_core.storage.engine import make_engine
from signer_core.storage.signer.announcements import Announcements
from tests.fixtures.postgres import BACKENDS, connect

pytestmark = pytest.mark.skipif("postgresql" not in BACKENDS, reason="there is no PostgreSQL")
TOPIC = b"a request's id.."
LISTENERS = "FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query LIKE 'SELECT pg_notify%'"


@pytest.fixture
async def url(postgres_server):
    name = await postgres_server.take(None)
    yield postgres_server.at(name)
    await postgres_server.give_back(None, name)


@pytest.fixture
async def both(url):
    """Two processes' notices, listening."""
    engines = [make_engine(url) for _ in range(2)]
    notices = [Notices() for _ in engines]
    tasks = [
        asyncio.create_task(Announcements(engine, one).run())
        for engine, one in zip(engines, notices, strict=True)
    ]
    yield notices
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for engine in engines:
        await engine.dispose()


async def heard(there, here):
    """Tell it there until it rings here, and nothing else does."""
    with here.watch(TOPIC) as bell, here.watch(b"another") as silent:
        rung = asyncio.create_task(bell.wait(60))  # longer than the test may take
        while not rung.done():
            there.tell(TOPIC)
            await asyncio.wait({rung}, timeout=0.1)
        assert not silent._event.is_set()


async def test_what_one_process_tells_wakes_watchers_of_the_other(both):
    first, second = both
    async with asyncio.timeout(10):
        await heard(first, second)
        await heard(second, first)


async def test_a_lost_connection_is_made_anew(both, url):
    first, second = both
    async with asyncio.timeout(60):
        await heard(first, second)
        connection = await connect(url)
        killed = await connection.fetch(f"SELECT pg_terminate_backend(pid) {LISTENERS}")
        await connection.close()
        assert killed
        await heard(first, second)


async def test_a_lost_connection_is_made_anew_once(both, url):
    """The end of the old one is heard a moment later, and must not end the new one."""
    first, second = both
    async with asyncio.timeout(60):
        await heard(first, second)
        connection = await connect(url)
        killed = await connection.fetch(f"SELECT pg_terminate_backend(pid) {LISTENERS}")
        await heard(first, second)
        await asyncio.sleep(2.5)
        listening = f"SELECT pid {LISTENERS}"
        before = {row["pid"] for row in await connection.fetch(listening)}
        await asyncio.sleep(2.5)
        after = {row["pid"] for row in await connection.fetch(listening)}
        await connection.close()
    assert killed
    assert before == after
    assert len(before) == 2


class Server:
    """A server of whose connections the first is lost at once."""

    def __init__(self):
        self.connections = []

    @asynccontextmanager
    async def connect(self):
        self.connections.append(Line())
        yield self.connections[-1]


class Line:
    def __init__(self):
        self.driver_connection, self.told = self, []

    async def get_raw_connection(self):
        return self

    def add_termination_listener(self, listener):
        self.lose = lambda: listener(self)

    async def add_listener(self, *_):
        pass

    async def invalidate(self):
        pass

    async def execute(self, statement, *values):
        self.told += values[1:]


async def test_what_waited_as_a_connection_was_lost_is_told_by_the_next(monkeypatch):
    monkeypatch.setattr("signer_core.storage.signer.announcements._RETRY_S", 0)
    server, notices = Server(), Notices()
    task = asyncio.create_task(Announcements(server, notices).run())
    async with asyncio.timeout(5):
        while not server.connections:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        server.connections[0].lose()
        notices.tell(TOPIC)
        while len(server.connections) < 2 or not server.connections[1].told:
            await asyncio.sleep(0)
    task.cancel()
    assert [line.told for line in server.connections] == [[], [[TOPIC.hex()]]]
