"""Database engines, transactions and migrations, the same for every process with a database.

SQLite is the embedded default, PostgreSQL the engine for more than one process or machine. On both
a transaction that writes is durable when its block has ended; on SQLite it is alone in the database
meanwhile, on PostgreSQL it holds what it locks (`for_update`, `take_turn`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, Select, func, make_url, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.observe.metrics import TRANSACTION_SECONDS
from signer_core.storage.driver import is_writing
from signer_core.storage.group_commit import GroupWriter
from signer_core.storage.postgres import make_postgres_engine
from signer_core.storage.postgres_engine import PostgresEngine
from signer_core.storage.sqlite import make_sqlite_engine
from signer_core.storage.sqlite_engine import SqliteEngine

_WRITE_SECONDS: Final = TRANSACTION_SECONDS.labels("write")
_READ_SECONDS: Final = TRANSACTION_SECONDS.labels("read")
_writers: WeakKeyDictionary[AsyncEngine, GroupWriter] = WeakKeyDictionary()


def make_engine(url: str) -> AsyncEngine:
    """Make the engine of a database.

    For example `sqlite+aiosqlite:///var/signer/signer.db` or `postgresql://signer@db/signer`.
    """
    if make_url(url).get_backend_name() == "postgresql":
        return make_postgres_engine(url)
    engine = make_sqlite_engine(url)
    _writers[engine] = GroupWriter(engine)
    return engine


@asynccontextmanager
async def write_transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run statements that write; committed durably at the end, undone on any error.

    Raises:
        UnavailableError: the database is locked for over 5 s, full, or gone. Nothing was written,
            or nobody knows: a repetition must be harmless.
    """
    with _WRITE_SECONDS.time():
        async with _writing(engine) as connection:
            yield connection


@asynccontextmanager
async def write_once(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run one statement that writes: it is a transaction by itself. Raises as `write_transaction`.

    On SQLite, where that saves nothing, it is one of several statements, as everywhere.
    """
    with _WRITE_SECONDS.time():
        if isinstance(engine, PostgresEngine):
            async with engine.writing_once() as connection:
                yield connection
        else:
            async with _writing(engine) as connection:
                yield connection


@asynccontextmanager
async def _writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    writer = _writers.get(engine)
    if writer is not None:
        async with writer.transaction() as connection:
            yield connection
        return
    async with _ours(engine).writing() as connection:
        yield connection


@asynccontextmanager
async def read_transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run statements that only read, all seeing the same state.

    Raises:
        UnavailableError: the database is gone.
    """
    with _READ_SECONDS.time():
        async with _ours(engine).reading() as connection:
            yield connection


@asynccontextmanager
async def read_once(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run one query: it sees one state without a transaction. Raises as `read_transaction`."""
    with _READ_SECONDS.time():
        async with _ours(engine).reading_once() as connection:
            yield connection


def _ours(engine: AsyncEngine) -> SqliteEngine | PostgresEngine:
    assert isinstance(engine, SqliteEngine | PostgresEngine)  # noqa: S101  for the type checker
    return engine


def for_update(connection: AsyncConnection, query: Select[Any]) -> Select[Any]:
    """Lock the rows of a query until the transaction ends, if it is one that writes.

    SQLite needs no row lock, and one that only reads would pay for it with a commit to disk.
    """
    return query.with_for_update() if is_writing(connection) else query


async def take_turn(connection: AsyncConnection, topic: str) -> None:
    """Be the only writing transaction about `topic` until it ends; on SQLite it is that already."""
    if connection.dialect.name == "postgresql":
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(topic))))


async def upgrade(url: str, script_location: Path) -> None:
    """Bring a database to the newest revision of an Alembic folder, in one transaction.

    The folder's `env.py` calls `run_migrations`. Two processes at once do no harm.

    Raises:
        UnavailableError: the database is locked, full, or gone.
    """
    config = Config()
    config.set_main_option("script_location", str(script_location).replace("%", "%%"))
    engine = make_engine(url)
    try:
        async with write_transaction(engine) as connection:
            if engine.dialect.name == "postgresql":  # tables of any size, another process first
                await connection.execute(text("SET LOCAL statement_timeout = 0"))
                await connection.execute(text("SET LOCAL lock_timeout = 0"))
            await take_turn(connection, "migrations")
            if not connection.in_transaction():
                await connection.begin()  # or else Alembic would commit each step by itself
            await connection.run_sync(_upgrade, config)
    finally:
        await engine.dispose()


def run_migrations() -> None:
    """Be the body of an `env.py`: run what Alembic wants on the connection of `upgrade`."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, transaction_per_migration=False)
    context.run_migrations()


def _upgrade(connection: Connection, config: Config) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
