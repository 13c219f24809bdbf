"""SqliteEngine: connections that are kept come back clean, and transactions are what they say."""

import asyncio
from contextlib import AsyncExitStack, closing
from sqlite3 import connect

import pytest
from sqlalchemy import event, text

from signer_core.errors import UnavailableError
from signer_core.storage.sqlite import make_sqlite_engine
from signer_core.storage.sqlite_engine import KEPT, commit
from signer_core.storage.sqlite_inline import find_inline

INSERT = "INSERT INTO thing VALUES (1)"


@pytest.fixture
def path(tmp_path):
    with closing(connect(tmp_path / "test.db")) as connection:
        connection.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY)")
    return tmp_path / "test.db"


@pytest.fixture
async def engine(path):
    made = make_sqlite_engine(f"sqlite+aiosqlite:///{path}")
    yield made
    await made.dispose()


def on_disk(path):
    """What another program reads."""
    with closing(connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM thing")]


async def seen(connection):
    return list((await connection.execute(text("SELECT id FROM thing"))).scalars())


async def test_what_is_committed_is_there_for_others_and_listeners_hear_of_it(engine, path):
    heard = []
    event.listen(engine.sync_engine, "commit", heard.append)
    async with engine.writing() as connection:
        await connection.execute(text(INSERT))
        assert on_disk(path) == []
        await commit(connection)
    assert (on_disk(path), len(heard)) == ([1], 1)


@pytest.mark.parametrize("past_sqlalchemy", [True, False])
@pytest.mark.parametrize("way", ["writing", "reading"])
async def test_what_is_not_committed_is_undone_and_the_next_user_sees_nothing(
    engine, path, way, past_sqlalchemy
):
    for _ in range(2):  # the second time on the same connection
        async with getattr(engine, way)() as connection:
            if past_sqlalchemy:
                find_inline(connection).run(INSERT)
            else:
                await connection.execute(text(INSERT))
            assert await seen(connection) == [1]
    assert on_disk(path) == []


async def test_an_error_inside_undoes_and_gives_the_connection_back_clean(engine, path):
    used = []

    async def fail():
        async with engine.writing() as connection:
            used.append(find_inline(connection))
            await connection.execute(text(INSERT))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with engine.writing() as connection:
        assert [find_inline(connection)] == used
        await connection.execute(text(INSERT))
        await commit(connection)
    assert on_disk(path) == [1]


async def test_a_reader_sees_one_state_all_the_while(engine):
    async with engine.reading() as reader:
        assert await seen(reader) == []
        async with engine.writing() as writer:
            await writer.execute(text(INSERT))
            await commit(writer)
        assert await seen(reader) == []
    async with engine.reading() as reader:
        assert await seen(reader) == [1]


async def test_a_second_writer_waits_for_the_first(engine):
    order = []

    async def write(name):
        async with engine.writing():
            order.append(name)
            await asyncio.sleep(0.05)
            order.append(name)

    await asyncio.gather(write("a"), write("b"))
    assert order in (["a", "a", "b", "b"], ["b", "b", "a", "a"])


async def test_a_lock_that_is_held_too_long_is_unavailable_and_leaves_nothing_begun(engine, path):
    async with engine.writing() as connection:
        find_inline(connection).run("PRAGMA busy_timeout = 50")  # milliseconds, not 5 s
    with closing(connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with engine.reading() as connection:
            assert await seen(connection) == []  # readers wait for nobody
        with pytest.raises(UnavailableError):
            async with engine.writing():
                pass
        other.execute("ROLLBACK")
    async with engine.writing() as connection:
        await connection.execute(text(INSERT))
        await commit(connection)
    assert on_disk(path) == [1]


async def test_many_read_at_once_and_no_more_connections_are_kept_than_it_says(engine):
    async with AsyncExitStack() as stack, asyncio.timeout(10):
        for _ in range(KEPT + 3):
            await stack.enter_async_context(engine.reading())
        async with engine.writing():
            pass
    assert {write: len(kept) for write, kept in engine._kept.items()} == {False: KEPT, True: 1}


async def test_a_connection_lent_while_the_engine_is_disposed_of_is_not_kept(engine):
    async with engine.reading() as connection:
        lent = find_inline(connection)
        await engine.dispose()
        assert await seen(connection) == []  # and still works
    async with engine.reading() as connection:
        assert find_inline(connection) is not lent
