"""Transactions that share a commit: alone in effect, together on the disk."""

import asyncio
import subprocess
import sys
from contextlib import closing
from sqlite3 import connect

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from signer_core.errors import UnavailableError
from signer_core.storage import sqlite
from signer_core.storage.engine import make_engine, read_transaction, write_transaction


@pytest.fixture
def path(tmp_path):
    with closing(connect(tmp_path / "test.db")) as connection:
        connection.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY)")
    return tmp_path / "test.db"


@pytest.fixture
async def engine(path):
    made = make_engine(f"sqlite+aiosqlite:///{path}")
    yield made
    await made.dispose()


@pytest.fixture
def commits(engine):
    """Count what was committed to disk."""
    counted = []
    event.listen(engine.sync_engine, "commit", counted.append)
    return counted


async def insert(engine, *ids, then=None):
    async with write_transaction(engine) as connection:
        for one in ids:
            await connection.execute(text("INSERT INTO thing VALUES (:id)"), {"id": one})
        if then is not None:
            await then()


async def ids(engine):
    async with read_transaction(engine) as connection:
        return (await connection.execute(text("SELECT id FROM thing ORDER BY id"))).scalars().all()


async def test_those_who_wait_share_a_commit(engine, commits):
    await asyncio.gather(*(insert(engine, number) for number in range(20)))
    assert await ids(engine) == list(range(20))
    written = [one for one in commits if one.get_execution_options().get("signer_write")]
    assert len(written) <= 2  # the first may go alone


async def test_one_that_fails_is_undone_alone(engine):
    done = await asyncio.gather(
        insert(engine, 1),
        insert(engine, 2, 2),  # the second 2 is refused, and the first undone with it
        insert(engine, 3),
        insert(engine, 1),
        insert(engine, 4),
        return_exceptions=True,
    )
    assert [type(one) for one in done] == [
        type(None),
        IntegrityError,
        type(None),
        IntegrityError,
        type(None),
    ]
    assert await ids(engine) == [1, 3, 4]


async def test_a_first_one_that_fails_takes_nobody_with_it(engine):
    done = await asyncio.gather(insert(engine, 1, 1), insert(engine, 2), return_exceptions=True)
    assert isinstance(done[0], IntegrityError)
    assert await ids(engine) == [2]


async def test_who_meets_a_neighbours_row_finds_it_stored(engine):
    """Or else "it is taken" would be followed by "there is none"."""

    async def find_or_insert():
        try:
            await insert(engine, 1)
        except IntegrityError:
            return await ids(engine)

    assert await asyncio.gather(find_or_insert(), find_or_insert()) == [None, [1]]


async def test_one_that_is_cancelled_is_undone_alone(engine):
    inside = asyncio.Event()

    async def hang():
        inside.set()
        await asyncio.sleep(60)

    first = asyncio.create_task(insert(engine, 1))
    second = asyncio.create_task(insert(engine, 2, then=hang))
    third = asyncio.create_task(insert(engine, 3))
    await inside.wait()
    second.cancel()
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await second
    assert await ids(engine) == [1, 3]


@pytest.mark.parametrize("yields", range(12))
async def test_cancelled_at_any_moment_it_harms_no_neighbour(engine, yields):
    tasks = [asyncio.create_task(insert(engine, n, 100 + n)) for n in range(4)]
    for _ in range(yields):
        await asyncio.sleep(0.0005)
    tasks[1].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [done[0], done[2], done[3]] == [None] * 3
    stored = await ids(engine)
    assert {0, 2, 3, 100, 102, 103} <= set(stored)
    assert (1 in stored) == (101 in stored)  # whole or not at all
    await insert(engine, 7)


async def test_one_that_waits_and_is_cancelled_never_runs(engine):
    release = asyncio.Event()
    first = asyncio.create_task(insert(engine, 1, then=release.wait))
    second = asyncio.create_task(insert(engine, 2))
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.sleep(0)
    release.set()
    await first
    assert await ids(engine) == [1]


async def test_nobody_is_answered_before_the_commit(engine, path):
    release = asyncio.Event()
    first = asyncio.create_task(insert(engine, 1))
    second = asyncio.create_task(insert(engine, 2, then=release.wait))
    await asyncio.sleep(0.2)
    with closing(connect(path)) as other:
        visible = other.execute("SELECT count(*) FROM thing").fetchone()[0]
    assert (first.done(), visible) == (False, 0)
    release.set()
    await asyncio.gather(first, second)


async def test_a_commit_that_fails_fails_all_of_the_group(engine):
    def refuse(_connection):
        raise UnavailableError("disk full")

    event.listen(engine.sync_engine, "commit", refuse)
    done = await asyncio.gather(insert(engine, 1), insert(engine, 2), return_exceptions=True)
    assert [type(one) for one in done] == [UnavailableError] * 2
    event.remove(engine.sync_engine, "commit", refuse)
    assert await ids(engine) == []
    await insert(engine, 3)


async def test_a_lock_held_elsewhere_fails_those_who_wait_and_no_later_one(
    engine, path, monkeypatch
):
    monkeypatch.setattr(sqlite, "_PRAGMAS", ("PRAGMA busy_timeout = 50",))
    with closing(connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = await asyncio.gather(insert(engine, 1), insert(engine, 2), return_exceptions=True)
        assert [type(one) for one in done] == [UnavailableError] * 2
    await insert(engine, 3)
    assert await ids(engine) == [3]


DYING = """
import asyncio, os, signal, sys
from sqlalchemy import event, text
from signer_core.storage.engine import make_engine, write_transaction

async def insert(engine, number):
    async with write_transaction(engine) as connection:
        await connection.execute(text("INSERT INTO thing VALUES (:id)"), {"id": number})
    print(number, flush=True)  # answered

async def main():
    engine = make_engine(sys.argv[1])
    await insert(engine, 1)
    event.listen(engine.sync_engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    await asyncio.gather(*(insert(engine, number) for number in range(2, 6)))

asyncio.run(main())
"""


async def test_killed_before_the_commit_loses_only_what_was_not_answered(engine, path):
    command = [sys.executable, "-c", DYING, f"sqlite+aiosqlite:///{path}"]
    died = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    assert (died.returncode, died.stdout.split()) == (-9, ["1"])
    assert await ids(engine) == [1]
