"""Database engines, transactions and migrations, the same for every process with a database.

SQLite in WAL mode with durable commits is the embedded default. Every write transaction there is
`BEGIN IMMEDIATE`: it takes the one write lock at once instead of failing half-way. A URL of
another dialect gets that dialect's own defaults.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from signer_core.errors import UnavailableError

_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",  # milliseconds to wait for the write lock
)
_WRITE = "signer_write"  # execution option of a connection that will write


def make_engine(url: str) -> AsyncEngine:
    """Make the engine of a database, for example `sqlite+aiosqlite:///var/signer/signer.db`."""
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _configure_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


@asynccontextmanager
async def write_transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run statements that write; committed durably at the end, undone on any error.

    Raises:
        UnavailableError: the database is locked for over 5 s, full, or gone.
    """
    async with _available(engine) as connection:
        await connection.execution_options(**{_WRITE: True})
        async with connection.begin():
            yield connection


@asynccontextmanager
async def read_transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run statements that only read, all seeing the same state.

    Raises:
        UnavailableError: the database is gone.
    """
    async with _available(engine) as connection, connection.begin():
        yield connection


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


@asynccontextmanager
async def _available(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    try:
        async with engine.connect() as connection:
            yield connection
    except OperationalError:
        raise UnavailableError("the database cannot be used now") from None


def _configure_sqlite(dbapi_connection: Any, _record: Any) -> None:
    dbapi_connection.isolation_level = None  # the driver's own BEGIN comes too late
    cursor = dbapi_connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
