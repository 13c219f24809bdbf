"""Statements and transactions on a connection of asyncpg, past SQLAlchemy.

Through SQLAlchemy a transaction of four statements costs 1,070 µs of our CPU, past it 300
(docs/performance.md).
"""

from collections.abc import Awaitable, Sequence
from typing import Any, Final, TypeVar

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.errors import UnavailableError
from signer_core.storage.driver import find_driver

_BEGIN_WRITE: Final = "BEGIN"  # read committed: rules are row locks and single statements
_BEGIN_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_COMMIT: Final = "COMMIT"
_UNDO_S: Final = 2.0  # for a server that no longer answers
# SQLSTATE classes and codes of a server that cannot do it now (PostgreSQL manual, appendix A):
# connection, rollback, resources, operator, system, internal; lock and idle time-outs.
_AWAY: Final = ("08", "40", "53", "57", "58", "XX", "55P03", "25P03")

T = TypeVar("T")


class PostgresDriver:
    """A connection of one task at a time. Mutable as that is."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection  # of asyncpg, which has no types

    @property
    def is_idle(self) -> bool:
        """Tell whether the connection is open and in no transaction; costs no round trip."""
        return not (self._connection.is_closed() or self._connection.is_in_transaction())

    async def fetch(self, statement: str, values: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """Run a query; see `Driver`."""
        rows: Sequence[Sequence[Any]] = await self._answer(
            self._connection.fetch(statement, *values)
        )
        return rows

    async def change(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run a statement that writes; see `Driver`."""
        return int((await self._run(statement, values)).rpartition(" ")[2])  # such as "UPDATE 1"

    async def change_all(self, statement: str, values: Sequence[Any]) -> bool:
        """Run a statement of several changes (`together.py`) in no transaction; durable on return.

        Returns False where it failed because a row is not as it says: nothing was changed.

        Raises:
            UnavailableError: it was not run, or nobody knows.
        """
        try:
            await self._run(statement, values)
        except asyncpg.DivisionByZeroError:
            return False
        return True

    async def begin_read(self) -> None:
        """Begin a transaction that sees one state and cannot write; raises as `fetch`."""
        await self._run(_BEGIN_READ)

    async def begin_write(self) -> None:
        """Begin a transaction that writes; raises as `fetch`."""
        await self._run(_BEGIN_WRITE)

    async def commit(self) -> None:
        """Commit; durable on return.

        Raises:
            UnavailableError: it is not, or nobody knows.
        """
        if await self._run(_COMMIT) != _COMMIT:  # a statement had failed: it was undone
            raise UnavailableError("the database undid this transaction")

    async def rollback(self) -> None:
        """Undo; raises as `fetch`."""
        await self._answer(self._connection.execute("ROLLBACK", timeout=_UNDO_S))

    def hang_up(self) -> None:
        """End the connection at once."""
        self._connection.terminate()

    async def _run(self, statement: str, values: Sequence[Any] = ()) -> str:
        """Run a statement; return what the server says that it did."""
        done: str = await self._answer(self._connection.execute(statement, *values))
        return done

    async def _answer(self, work: Awaitable[T]) -> T:
        try:
            return await work
        except Exception as error:
            if is_away(error) or self._connection.is_closed():
                raise UnavailableError("the database cannot be used now") from None
            raise


def is_away(error: BaseException | None) -> bool:
    """Tell whether an error of asyncpg is of a server that cannot do it now, or is gone."""
    lost = isinstance(error, OSError | TimeoutError | asyncpg.InvalidCachedStatementError)
    return lost or (getattr(error, "sqlstate", None) or "").startswith(_AWAY)


def find_postgres(connection: AsyncConnection) -> PostgresDriver:
    """Return what is under a connection of a server."""
    driver = find_driver(connection)
    assert isinstance(driver, PostgresDriver)  # noqa: S101  for the type checker
    return driver
