"""An SQLite engine that keeps its connections, and begins and ends transactions on them itself.

By SQLAlchemy's pool, BEGIN and COMMIT a transaction that reads costs 200 µs of CPU and one that
writes 530 µs, where SQLite needs 3 (docs/performance.md). Statements still go through SQLAlchemy,
or past it (`prepared.py`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.storage.driver import WRITE, announce_commit
from signer_core.storage.sqlite_inline import InlineConnection, find_inline

KEPT: Final = 16  # connections between transactions, of each kind


class SqliteEngine(AsyncEngine):
    """`AsyncEngine` of a file. Mutable: it keeps connections that nobody uses just now."""

    __slots__ = ("_age", "_kept")

    def __init__(self, sync_engine: Engine) -> None:
        super().__init__(sync_engine)
        self._kept: dict[bool, list[AsyncConnection]] = {False: [], True: []}
        self._age = 0  # rises as the engine is disposed of: what was lent before is not kept

    async def dispose(self, close: bool = True) -> None:
        """Close the connections; see `AsyncEngine.dispose`."""
        self._age += 1
        for kept in self._kept.values():
            while kept:
                await kept.pop().close()
        await super().dispose(close)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection in a transaction that sees one state and is undone at the end."""
        async with self._lent(write=False) as (connection, inline):
            inline.run("BEGIN")
            yield connection

    @asynccontextmanager
    async def reading_once(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for one query, which sees one state by itself."""
        async with self._lent(write=False) as (connection, _):
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection that holds the write lock; undone at the end unless `commit` was.

        Raises:
            UnavailableError: another process holds the lock for too long.
        """
        async with self._lent(write=True) as (connection, inline):
            await inline.begin_write()
            yield connection

    @asynccontextmanager
    async def _lent(
        self, *, write: bool
    ) -> AsyncIterator[tuple[AsyncConnection, InlineConnection]]:
        age, kept = self._age, self._kept[write]
        connection = kept.pop() if kept else await self._opened(write)
        inline = find_inline(connection)
        try:
            yield connection, inline
        finally:
            if connection.in_transaction():  # a statement went through SQLAlchemy
                await connection.rollback()
            await inline.rollback()
            if age == self._age and len(kept) < KEPT and not connection.invalidated:
                kept.append(connection)
            else:
                await connection.close()

    async def _opened(self, write: bool) -> AsyncConnection:
        connection = await self.connect()
        if write:
            await connection.execution_options(**{WRITE: True})
        return connection


async def commit(connection: AsyncConnection) -> None:
    """Commit what was done on a connection of `writing`; durable on return.

    Raises:
        UnavailableError: the disk is full, or gone.
    """
    inline = find_inline(connection)
    announce_commit(connection)
    await inline.commit()
