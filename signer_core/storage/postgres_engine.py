"""A PostgreSQL engine that keeps its connections, and begins and ends transactions on them itself.

Statements go through SQLAlchemy, or past it (`prepared.py`). By its pool, BEGIN and COMMIT alone a
transaction costs 400 µs more of our CPU (docs/performance.md).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import Final, TypeAlias

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.errors import UnavailableError
from signer_core.storage.driver import announce_commit, mark_writing
from signer_core.storage.postgres_driver import PostgresDriver, find_postgres
from signer_core.storage.unbroken import unbroken

CONNECTIONS: Final = 16  # a process: two vaults, two signers, a registrar make 80 of 100
# PostgreSQL may be gone for 10 s; a caller over gRPC waits 15 s (grpc_api/clients/calls.py).
PATIENCE_S: Final = 12.0
_PAUSE_S: Final = 0.2

# A connection, and what is under it: SQLAlchemy does not tell any more once it was lost.
_Pair: TypeAlias = tuple[AsyncConnection, PostgresDriver]


class PostgresEngine(AsyncEngine):
    """`AsyncEngine` of a server. Mutable: it keeps connections that nobody uses just now."""

    __slots__ = ("_age", "_kept", "_places")

    def __init__(self, sync_engine: Engine) -> None:
        super().__init__(sync_engine)
        self._kept: list[_Pair] = []  # the last one is the warmest
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._age = 0  # rises as the engine is disposed of: what was lent before is not kept

    async def dispose(self, close: bool = True) -> None:
        """Close the connections; see `AsyncEngine.dispose`."""
        self._age += 1
        while self._kept:
            await self._kept.pop()[0].close()
        await super().dispose(close)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection in a transaction that sees one state and cannot write.

        Raises:
            UnavailableError: the server stays away, or it refuses us.
        """
        async with self._lent(write=False) as (connection, driver):
            await driver.begin_read()
            yield connection
            await driver.rollback()

    @asynccontextmanager
    async def reading_once(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for one query, which sees one state by itself; raises as `reading`."""
        async with self._lent(write=False, begun=False) as (connection, _):
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection in a transaction; durable at the end, undone on any error.

        Raises:
            UnavailableError: the server stays away, refuses us, or cannot do it. Nothing was
                written, or nobody knows.
        """
        async with self._lent(write=True) as (connection, driver):
            await driver.begin_write()
            yield connection
            announce_commit(connection)
            await driver.commit()

    @asynccontextmanager
    async def writing_once(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for one statement that writes, durable as it is answered.

        Raises:
            UnavailableError: as `writing`.
        """
        async with self._lent(write=True, begun=False) as (connection, _):
            announce_commit(connection)
            yield connection

    @asynccontextmanager
    async def _lent(self, *, write: bool, begun: bool = True) -> AsyncIterator[_Pair]:
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        async with self._place(deadline):
            age, pair = self._age, await self._find_kept() or await self._opened(deadline)
            mark_writing(pair[0], write=write)
            broken = True
            try:
                yield pair
                broken = False
            except Exception as error:
                # a statement alone leaves nothing to be undone, unless it may still be running
                broken = begun or (write and isinstance(error, UnavailableError))
                raise
            finally:
                try:
                    if broken or not pair[1].is_idle:
                        await unbroken(_undo(pair[1]))
                finally:
                    await self._keep_or_close(pair, age)

    @asynccontextmanager
    async def _place(self, deadline: float) -> AsyncIterator[None]:
        """Hold one of the `CONNECTIONS` places."""
        try:
            async with asyncio.timeout_at(deadline) if self._places.locked() else nullcontext():
                await self._places.acquire()
        except TimeoutError:
            raise UnavailableError("the database cannot be used now") from None
        try:
            yield
        finally:
            self._places.release()

    async def _find_kept(self) -> _Pair | None:
        while self._kept:
            connection, driver = self._kept.pop()
            if driver.is_idle:
                return connection, driver
            await connection.close()  # the server has hung up meanwhile
        return None

    async def _opened(self, deadline: float) -> _Pair:
        """Connect, waiting for a server that is away: nothing is written yet, nor doubled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection = await self.connect()
                return connection, find_postgres(connection)
            except DBAPIError:  # it answered, and said no
                raise UnavailableError("the database refuses this process") from None
            except (OSError, UnavailableError):
                if loop.time() >= deadline:
                    raise UnavailableError("the database cannot be used now") from None
            await asyncio.sleep(_PAUSE_S)

    async def _keep_or_close(self, pair: _Pair, age: int) -> None:
        connection, driver = pair
        if connection.in_transaction() and not connection.invalidated:
            await connection.rollback()  # SQLAlchemy's own idea: a statement went through it
        if age == self._age and not connection.invalidated:
            self._kept.append(pair)
        else:
            driver.hang_up()
            await connection.close()


async def _undo(driver: PostgresDriver) -> None:
    """End what is under way, also at the server: what it was last heard of may be too old."""
    undone = False
    try:
        with suppress(UnavailableError):
            await driver.rollback()
            undone = True
    finally:
        if not undone:
            driver.hang_up()  # nobody knows what it is in
