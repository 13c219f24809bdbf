"""What is SQLite's own: durable commits in WAL mode, one writer, who waits instead of failing."""

import sqlite3
from typing import Any

from sqlalchemy import Connection, NullPool, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import create_async_engine

from signer_core.errors import UnavailableError
from signer_core.storage.driver import DRIVER, WRITE
from signer_core.storage.sqlite_engine import SqliteEngine
from signer_core.storage.sqlite_inline import BEGIN_WRITE, InlineConnection, connect

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",  # what undoes a SAVEPOINT: a few pages, not worth a file
    "PRAGMA busy_timeout = 5000",  # milliseconds to wait for another process's write lock
)


def make_sqlite_engine(url: str) -> SqliteEngine:
    """Make the engine of a file. A write transaction there is `BEGIN IMMEDIATE`.

    It takes the one write lock at once instead of failing half-way.
    """
    path = make_url(url).database or ""
    # SqliteEngine keeps connections itself: a pool of 15 beside it would let the 16th user wait
    # for one that never comes back.
    engine = create_async_engine(url, async_creator=lambda: connect(path), poolclass=NullPool)
    event.listen(engine.sync_engine, "connect", _configure)
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "handle_error", _translate)
    return SqliteEngine(engine.sync_engine)


def _configure(dbapi_connection: Any, record: Any) -> None:
    record.info[DRIVER] = dbapi_connection.driver_connection
    cursor = dbapi_connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    """Say BEGIN where SQLAlchemy begins a transaction, unless `SqliteEngine` has begun one."""
    inline = connection.connection.driver_connection
    if isinstance(inline, InlineConnection) and inline.in_transaction:
        return
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql(BEGIN_WRITE if writes else "BEGIN")


def _translate(context: ExceptionContext) -> None:
    if isinstance(context.original_exception, sqlite3.OperationalError):  # locked, full, gone
        raise UnavailableError("the database cannot be used now") from None
