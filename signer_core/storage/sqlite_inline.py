"""SQLite on the event loop's own thread; only what waits for the disk goes to another one.

The usual driver, aiosqlite, has a thread a connection and hops to it four times a query: that costs
eight times the query (docs/performance.md). A query here takes some 20 µs, from the page cache, and
readers wait for nobody in WAL mode. `BEGIN IMMEDIATE` may wait for another process, `COMMIT` of
what was written waits for the disk: the second, the first if it has to wait, and closing run on a
thread.

This is what SQLAlchemy's aiosqlite dialect asks of a connection, and what goes past SQLAlchemy.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, Self, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.errors import UnavailableError
from signer_core.storage.driver import find_driver

BEGIN_WRITE: Final = "BEGIN IMMEDIATE"
_NONE: Final[tuple[Any, ...]] = ()

T = TypeVar("T")


class InlineCursor:
    """A cursor. Mutable as a cursor is."""

    def __init__(self, connection: "InlineConnection", cursor: sqlite3.Cursor) -> None:
        self._connection, self._cursor = connection, cursor
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        """Columns of the last query."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """Rows changed by the last statement, -1 where nobody counts."""
        return self._cursor.rowcount

    @property
    def lastrowid(self) -> int | None:
        """Row id of the last insert."""
        return self._cursor.lastrowid

    async def execute(self, operation: str, parameters: Sequence[Any] = _NONE) -> Self:
        """Run a statement; only the one that takes the write lock leaves this thread."""
        if operation == BEGIN_WRITE:
            await _on_thread(lambda: self._cursor.execute(operation))
            self._connection.writes = True
        else:
            self._cursor.execute(operation, parameters)
        return self

    async def executemany(self, operation: str, parameters: Sequence[Sequence[Any]]) -> Self:
        """Run a statement for each."""
        self._cursor.executemany(operation, parameters)
        return self

    async def fetchone(self) -> Any:
        """Return the next row."""
        return self._cursor.fetchone()

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next rows."""
        return self._cursor.fetchmany(self.arraysize if size is None else size)

    async def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        return self._cursor.fetchall()

    async def close(self) -> None:
        """Forget the rows."""
        self._cursor.close()


class _Immediately:
    """Where SQLAlchemy queues the one call that it makes past aiosqlite: the isolation level's."""

    def put_nowait(self, call: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
        """Make the call now."""
        future, function = call
        future.set_result(function())


class InlineConnection:
    """A connection of one task at a time. Mutable: it knows whether it holds the write lock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: sqlite3.Connection | None = (
            connection  # SQLAlchemy looks whether it is there
        )
        self._conn = connection
        self._tx = _Immediately()
        self.writes = False

    @property
    def isolation_level(self) -> str | None:
        """See `sqlite3`; None: whoever uses it says BEGIN."""
        return self._conn.isolation_level

    def cursor(self) -> InlineCursor:
        """Return a new cursor."""
        return InlineCursor(self, self._conn.cursor())

    async def create_function(self, *args: Any, **kwargs: Any) -> None:
        """Add a function to SQL: SQLAlchemy adds its regular expressions."""
        self._conn.create_function(*args, **kwargs)

    @property
    def in_transaction(self) -> bool:
        """True from BEGIN to COMMIT or ROLLBACK."""
        return self._conn.in_transaction

    def run(self, statement: str, parameters: Sequence[Any] = _NONE) -> sqlite3.Cursor:
        """Run a statement past SQLAlchemy.

        Raises:
            UnavailableError: the database is locked, full, or gone.
        """
        try:
            return self._conn.execute(statement, parameters)
        except sqlite3.OperationalError:
            raise UnavailableError("the database cannot be used now") from None

    async def fetch(self, statement: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Run a query; see `Driver`."""
        return self.run(statement, values).fetchall()

    async def change(self, statement: str, values: Sequence[Any]) -> int:
        """Run a statement that writes; see `Driver`."""
        return self.run(statement, values).rowcount

    async def begin_write(self) -> None:
        """Take the write lock: at once if it is free, else wait on a thread.

        Raises:
            UnavailableError: another process holds it for too long.
        """
        (patience_ms,) = self._conn.execute("PRAGMA busy_timeout").fetchone()
        self._conn.execute("PRAGMA busy_timeout = 0")
        try:
            self._conn.execute(BEGIN_WRITE)
        except sqlite3.OperationalError:
            self._conn.execute(f"PRAGMA busy_timeout = {patience_ms}")
            await _on_thread(lambda: self.run(BEGIN_WRITE))
        else:
            self._conn.execute(f"PRAGMA busy_timeout = {patience_ms}")
        self.writes = True

    async def commit(self) -> None:
        """Commit; durable on return if the connection wrote.

        Raises:
            UnavailableError: the disk is full, or gone.
        """
        try:
            if self.writes:
                self.writes = False
                await _on_thread(self._conn.commit)
            else:
                self._conn.commit()
        except sqlite3.OperationalError:
            raise UnavailableError("the database cannot be used now") from None

    async def rollback(self) -> None:
        """Undo."""
        self.writes = False
        self._conn.rollback()

    async def close(self) -> None:
        """Close; the last one of a file also writes its log back."""
        self._connection = None
        await _on_thread(self._conn.close)

    def stop(self) -> None:
        """Close at once: there is no event loop any more."""
        self._connection = None
        self._conn.close()


def find_inline(connection: AsyncConnection) -> InlineConnection:
    """Return what is under a connection of a file."""
    driver = find_driver(connection)
    assert isinstance(driver, InlineConnection)  # noqa: S101  for the type checker
    return driver


async def connect(path: str) -> InlineConnection:
    """Open a database file; every BEGIN is the caller's."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    return InlineConnection(connection)


async def _on_thread(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(None, work)
