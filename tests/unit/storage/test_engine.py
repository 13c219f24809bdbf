"""signer_core.storage.engine on SQLite files."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from signer_core.errors import UnavailableError
from signer_core.storage import engine as storage
from signer_core.storage import sqlite

ENV = "from signer_core.storage.engine import run_migrations\n\nrun_migrations()\n"
REVISION = """
from alembic import op
revision = "{revision}"
down_revision = {down}
branch_labels = None
depends_on = None
def upgrade():
    op.execute("{sql}")
"""


@pytest.fixture
def url(tmp_path):
    return f"sqlite+aiosqlite:///{tmp_path}/test.db"


@pytest.fixture
async def engine(url):
    made = storage.make_engine(url)
    yield made
    await made.dispose()


@pytest.fixture
def scripts(tmp_path):
    folder = tmp_path / "scripts 100%"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENV)
    _revision(folder, "0001", None, "CREATE TABLE thing (id INTEGER PRIMARY KEY)")
    return folder


def _revision(folder: Path, revision: str, down: str | None, sql: str) -> None:
    (folder / "versions" / f"{revision}.py").write_text(
        REVISION.format(revision=revision, down=repr(down), sql=sql)
    )


async def _insert_twice(engine):
    async with storage.write_transaction(engine) as connection:
        await connection.execute(text("INSERT INTO thing VALUES (1)"))
        await connection.execute(text("INSERT INTO thing VALUES (1)"))


async def _pragma(engine, name):
    async with storage.read_transaction(engine) as connection:
        return (await connection.execute(text(f"PRAGMA {name}"))).scalar_one()


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
async def test_sqlite_is_durable_and_strict(engine, name, value):
    assert await _pragma(engine, name) == value


async def test_a_write_transaction_takes_the_lock_before_its_first_statement(
    engine, url, monkeypatch
):
    monkeypatch.setattr(sqlite, "_PRAGMAS", ("PRAGMA busy_timeout = 0",))
    other_process = storage.make_engine(url)
    async with storage.write_transaction(engine):
        with pytest.raises(UnavailableError):
            async with storage.write_transaction(other_process) as second:
                await second.execute(text("SELECT 1"))
    await other_process.dispose()


async def test_a_reader_does_not_wait_for_a_writer(engine):
    async with storage.write_transaction(engine), asyncio.timeout(1):
        assert await _pragma(engine, "foreign_keys") == 1


async def test_an_error_undoes_the_transaction(engine, url, scripts):
    await storage.upgrade(url, scripts)
    with pytest.raises(IntegrityError):
        await _insert_twice(engine)
    async with storage.read_transaction(engine) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM thing"))).scalar_one() == 0


async def test_upgrade_is_repeatable_and_adds_only_what_is_new(engine, url, scripts):
    await storage.upgrade(url, scripts)
    _revision(scripts, "0002", "0001", "INSERT INTO thing VALUES (7)")
    await storage.upgrade(url, scripts)
    await storage.upgrade(url, scripts)
    async with storage.read_transaction(engine) as connection:
        assert (await connection.execute(text("SELECT id FROM thing"))).scalars().all() == [7]


async def test_an_upgrade_that_fails_changes_nothing(engine, url, scripts):
    _revision(scripts, "0002", "0001", "INSERT INTO nothing VALUES (7)")
    with pytest.raises(UnavailableError):
        await storage.upgrade(url, scripts)
    async with storage.read_transaction(engine) as connection:
        tables = await connection.execute(text("SELECT name FROM sqlite_master"))
        assert tables.scalars().all() == []


async def test_two_upgrades_at_once_do_no_harm(engine, url, scripts):
    await asyncio.gather(storage.upgrade(url, scripts), storage.upgrade(url, scripts))
    async with storage.read_transaction(engine) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM thing"))).scalar_one() == 0
