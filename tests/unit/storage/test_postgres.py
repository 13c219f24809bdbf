"""signer_core.storage on PostgreSQL: a server that goes away, sessions, locks."""

import asyncio
import os
import signal
import time
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select, table, text
from sqlalchemy.exc import IntegrityError

from signer_core.errors import UnavailableError
from signer_core.storage.engine import (
    for_update,
    make_engine,
    read_once,
    read_transaction,
    take_turn,
    upgrade,
    write_transaction,
)
from signer_core.storage.postgres_driver import PostgresDriver
from signer_core.storage.postgres_engine import CONNECTIONS
from tests.fixtures.postgres import BACKENDS, OwnServer

pytestmark = pytest.mark.skipif("postgresql" not in BACKENDS, reason="there is no PostgreSQL")


@pytest.fixture
def server():
    """A server of this test's own, to be killed."""
    with OwnServer() as running:
        yield running


@pytest.fixture
async def url(postgres_server):
    name = await postgres_server.take(None)
    yield postgres_server.at(name)
    await postgres_server.give_back(None, name)


@pytest.fixture
async def engine(url):
    made = make_engine(url)
    async with write_transaction(made) as connection:
        await connection.execute(text("CREATE TABLE thing (n bigint NOT NULL)"))
        await connection.execute(text("INSERT INTO thing VALUES (0)"))
    yield made
    await made.dispose()


async def add_one(engine):
    async with write_transaction(engine) as connection:
        await connection.execute(text("UPDATE thing SET n = n + 1"))


async def count(engine):
    async with read_transaction(engine) as connection:
        return (await connection.execute(text("SELECT n FROM thing"))).scalar_one()


async def test_a_server_that_is_killed_for_seconds_loses_and_doubles_nothing(server):
    engine = make_engine(server.url)
    async with write_transaction(engine) as connection:
        await connection.execute(text("CREATE TABLE thing (n bigint NOT NULL)"))
        await connection.execute(text("INSERT INTO thing VALUES (0)"))
    answered = unknown = 0
    stopped = False

    async def work():
        nonlocal answered, unknown
        while not stopped:
            try:
                await add_one(engine)
                answered += 1
            except UnavailableError:
                unknown += 1

    workers = [asyncio.create_task(work()) for _ in range(8)]
    for gap_s in (0.1, 4):
        await asyncio.sleep(1)
        before = answered
        await asyncio.to_thread(server.kill)
        await asyncio.sleep(gap_s)
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(12):  # those who came meanwhile waited
            while answered < before + 20:
                await asyncio.sleep(0.05)
    stopped = True
    await asyncio.gather(*workers)
    # only those on their way when it died do not know; nobody else was refused
    assert unknown <= 2 * len(workers)
    assert answered <= await count(engine) <= answered + unknown
    await engine.dispose()


async def test_a_server_that_was_started_again_meanwhile_is_not_noticed(server):
    engine = make_engine(server.url)
    async with write_transaction(engine) as connection:
        await connection.execute(text("CREATE TABLE thing (n bigint NOT NULL)"))
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    await add_one(engine)
    await engine.dispose()


async def test_a_server_that_stays_away_is_said_so_in_time(server, monkeypatch):
    monkeypatch.setattr("signer_core.storage.postgres_engine.PATIENCE_S", 0.5)
    engine = make_engine(server.url)
    await asyncio.to_thread(server.kill)
    for transaction in (write_transaction, read_transaction):
        async with asyncio.timeout(5):
            with pytest.raises(UnavailableError):
                async with transaction(engine):
                    pass
    await engine.dispose()


async def test_a_stopped_server_does_not_hang_its_callers(server, monkeypatch):
    monkeypatch.setattr("signer_core.storage.postgres.COMMAND_TIMEOUT_S", 1)
    engine = make_engine(server.url)
    backends = "SELECT pid FROM pg_stat_activity WHERE pid = pg_backend_pid()"

    async def ask_a_stopped_one():
        async with write_transaction(engine) as connection:
            pid = (await connection.execute(text(backends))).scalar_one()
            os.kill(pid, signal.SIGSTOP)
            try:
                await connection.execute(text("SELECT 1"))
            finally:
                os.kill(pid, signal.SIGCONT)

    async with asyncio.timeout(10):
        with pytest.raises(UnavailableError):
            await ask_a_stopped_one()
    await engine.dispose()


async def test_a_refusal_is_not_repeated(url):
    engine = make_engine(url.replace("/diia_test", "/no_such_database"))
    async with asyncio.timeout(5):
        with pytest.raises(UnavailableError, match="refuses"):
            async with read_transaction(engine):
                pass
    await engine.dispose()


async def test_a_row_lock_waits_for_its_holder(engine):
    query = select(text("n")).select_from(table("thing"))
    seen = []

    async def read_and_add():
        async with write_transaction(engine) as connection:
            n = (await connection.execute(for_update(connection, query))).scalar_one()
            seen.append(n)
            await connection.execute(text("UPDATE thing SET n = :n"), {"n": n + 1})

    await asyncio.gather(*(read_and_add() for _ in range(8)))
    assert (sorted(seen), await count(engine)) == (list(range(8)), 8)


async def test_a_turn_is_one_transactions_at_a_time(engine):
    inside = 0

    async def alone(topic):
        nonlocal inside
        async with write_transaction(engine) as connection:
            await take_turn(connection, topic)
            inside += 1
            assert inside == 1
            await asyncio.sleep(0.02)
            inside -= 1

    await asyncio.gather(*(alone("one topic") for _ in range(5)))


async def test_a_reading_transaction_sees_one_state_and_writes_nothing(engine):
    async with read_transaction(engine) as connection:
        before = (await connection.execute(text("SELECT n FROM thing"))).scalar_one()
        await add_one(engine)
        assert (await connection.execute(text("SELECT n FROM thing"))).scalar_one() == before
    lock = for_update(connection, select(text("n")).select_from(table("thing")))
    assert "FOR UPDATE" not in str(lock)


async def test_a_lock_that_is_held_too_long_is_unavailable(engine):
    async def lock():
        async with write_transaction(engine) as waiting:
            await waiting.execute(text("SET LOCAL lock_timeout = '50ms'"))
            await waiting.execute(text("SELECT n FROM thing FOR UPDATE"))

    async with write_transaction(engine) as holder:
        await holder.execute(text("SELECT n FROM thing FOR UPDATE"))
        with pytest.raises(UnavailableError):
            await lock()
    await add_one(engine)


async def test_a_cancelled_writer_leaves_nothing(engine):
    inside = asyncio.Event()

    async def hang():
        async with write_transaction(engine) as connection:
            await connection.execute(text("UPDATE thing SET n = 100"))
            inside.set()
            await connection.execute(text("SELECT pg_sleep(60)"))

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await add_one(engine)
    assert await count(engine) == 1


async def fail_inside(engine):
    async with write_transaction(engine) as connection:
        await connection.execute(text("UPDATE thing SET n = 100"))
        raise ZeroDivisionError


async def backend(engine, transaction=write_transaction):
    async with transaction(engine) as connection:
        return (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()


async def test_connections_are_kept_also_after_an_error(engine):
    first = await backend(engine)
    with pytest.raises(ZeroDivisionError):
        await fail_inside(engine)
    assert {await backend(engine), await backend(engine, read_transaction)} == {first}
    assert await count(engine) == 0


async def test_a_transaction_whose_statement_failed_is_not_told_as_committed(engine):
    async def go_on_after_an_error():
        async with write_transaction(engine) as connection:
            await connection.execute(text("UPDATE thing SET n = 100"))
            with suppress(IntegrityError):
                await connection.execute(text("INSERT INTO thing VALUES (NULL)"))

    with pytest.raises(UnavailableError, match="undid"):
        await go_on_after_an_error()
    assert await count(engine) == 0


async def test_writers_cancelled_at_any_moment_leave_no_transaction_behind(engine):
    done = 0

    async def work():
        nonlocal done
        await add_one(engine)
        done += 1

    started = time.perf_counter()
    await work()
    whole_s = time.perf_counter() - started
    tasks = []
    for n in range(200):
        tasks.append(asyncio.create_task(work()))
        await asyncio.sleep(whole_s * n / 100)  # of what one takes: none, up to twice
        tasks[-1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with read_transaction(engine) as connection:
        others = "pid <> pg_backend_pid() AND datname = current_database()"
        query = f"SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND {others}"
        assert (await connection.execute(text(query))).scalar_one() == 0
    assert done <= await count(engine) <= len(tasks) + 1
    async with asyncio.timeout(5):
        await asyncio.gather(*(add_one(engine) for _ in range(CONNECTIONS)))  # every one works


async def cancel_as_it_begins(engine, monkeypatch):
    """Cancel a reader that has begun at the server, of which nobody here has heard."""
    begun = asyncio.Event()

    async def begin_and_be_silent(driver):
        asyncio.get_running_loop().call_later(0.1, begun.set)
        await driver._run("BEGIN; SELECT pg_sleep(60)")

    monkeypatch.setattr(PostgresDriver, "begin_read", begin_and_be_silent)
    task = asyncio.create_task(count(engine))
    await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_one_cancelled_as_it_begins_leaves_nothing_begun(engine, monkeypatch):
    await cancel_as_it_begins(engine, monkeypatch)
    monkeypatch.undo()
    await add_one(engine)  # in a transaction that cannot write it would fail
    assert await count(engine) == 1


async def test_one_cancelled_again_while_it_is_undone_is_undone(engine, monkeypatch):
    first, rollback, undoing = await backend(engine), PostgresDriver.rollback, asyncio.Event()

    async def slowly(driver):
        undoing.set()
        await asyncio.sleep(0.1)
        await rollback(driver)

    monkeypatch.setattr(PostgresDriver, "rollback", slowly)
    task = asyncio.create_task(fail_inside(engine))
    await undoing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await backend(engine) == first
    assert await count(engine) == 0


@pytest.mark.parametrize("error", [UnavailableError("away"), asyncpg.InterfaceError("busy")])
async def test_a_connection_that_cannot_be_undone_is_not_used_again(engine, monkeypatch, error):
    async def fail(_driver):
        raise error

    first = await backend(engine)
    monkeypatch.setattr(PostgresDriver, "rollback", fail)
    with suppress(asyncpg.InterfaceError):
        await cancel_as_it_begins(engine, monkeypatch)
    monkeypatch.undo()
    assert await backend(engine) != first
    await add_one(engine)


async def test_a_connection_lent_while_the_engine_is_disposed_of_is_not_kept(engine):
    async with read_transaction(engine) as connection:
        query = text("SELECT pg_backend_pid()")
        lent = (await connection.execute(query)).scalar_one()
        await engine.dispose()
        assert (await connection.execute(query)).scalar_one() == lent  # and still works
    assert await backend(engine) != lent


async def test_more_than_there_are_places_wait_for_one(engine, monkeypatch):
    assert await asyncio.gather(*(backend(engine) for _ in range(3 * CONNECTIONS)))
    monkeypatch.setattr("signer_core.storage.postgres_engine.PATIENCE_S", 0.2)
    async with AsyncExitStack() as stack:
        for _ in range(CONNECTIONS):
            await stack.enter_async_context(write_transaction(engine))
        with pytest.raises(UnavailableError):
            await backend(engine)
    await backend(engine)  # the place of the one that waited is free again


async def test_a_refusal_after_a_single_query_costs_no_rollback(engine, monkeypatch):
    undone = []
    monkeypatch.setattr(PostgresDriver, "rollback", undone.append)

    async def refuse():
        async with read_once(engine) as connection:
            await connection.execute(text("SELECT 1"))
            raise ZeroDivisionError

    first = await backend(engine, read_once)
    with pytest.raises(ZeroDivisionError):
        await refuse()
    assert await backend(engine, read_once) == first
    assert undone == []


async def test_a_single_query_is_in_no_transaction(engine):
    now = text("SELECT now()")  # of the beginning of a transaction
    for lend, same in ((read_once, False), (read_transaction, True)):
        async with lend(engine) as connection:
            times = [(await connection.execute(now)).scalar_one() for _ in range(2)]
        assert (times[0] == times[1]) is same


async def test_two_upgrades_at_once_do_no_harm(url, tmp_path):
    (tmp_path / "versions").mkdir()
    env = "from signer_core.storage.engine import run_migrations\n\nrun_migrations()\n"
    (tmp_path / "env.py").write_text(env)
    revision = 'from alembic import op\nrevision = "1"\ndown_revision = None\n'
    body = 'def upgrade():\n    op.execute("CREATE TABLE other (id int)")\n'
    Path(tmp_path / "versions" / "one.py").write_text(revision + body)
    await asyncio.gather(*(upgrade(url, tmp_path) for _ in range(3)))
