"""Statements that change one row each: all of them, or none, and durable when that is answered.

On PostgreSQL they are one statement in no transaction: one round trip, not one each and two more.
On SQLite, where a statement costs less than the words around it, they follow one another.
"""

from collections.abc import Mapping, Sequence
from re import sub
from typing import Any, Final

from sqlalchemy import ColumnElement, Insert, Update, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.storage.driver import find_driver
from signer_core.storage.engine import write_once
from signer_core.storage.postgres_driver import PostgresDriver
from signer_core.storage.prepared import Prepared

_HOLDS: Final = "holds"


class OtherRowsError(Exception):
    """One of the statements did not find its row: nothing was changed."""


class Together:
    """Some statements. Mutable: it keeps their SQL."""

    def __init__(
        self, statements: Sequence[Update | Insert], provided: ColumnElement[bool]
    ) -> None:
        """Take the statements, and what must hold once their rows are locked."""
        self._parts = [Prepared(one) for one in statements]
        self._returning = [Prepared(one.returning(*one.table.primary_key)) for one in statements]
        self._provided = Prepared(select(provided.label(_HOLDS)))
        self._joined = ""

    async def run(self, engine: AsyncEngine, values: Sequence[Mapping[str, Any]]) -> None:
        """Run them in this order, each with its values, always of the same names.

        The last values are those of what is provided.

        Raises:
            OtherRowsError: one of them did not change exactly one row, or what is provided does not
                hold; none did anything.
            UnavailableError: as `write_transaction`.
        """
        async with write_once(engine) as connection:
            driver = find_driver(connection)
            if isinstance(driver, PostgresDriver):
                changed = await self._run_joined(connection, driver, values)
            else:
                changed = await self._run_each(connection, values)
            if not changed:
                raise OtherRowsError

    async def _run_each(
        self, connection: AsyncConnection, values: Sequence[Mapping[str, Any]]
    ) -> bool:
        *changes, provided = values
        for part, its in zip(self._parts, changes, strict=True):
            if await part.change(connection, its) != 1:
                return False
        found = await self._provided.find(connection, provided)
        return found is not None and bool(found[_HOLDS])

    async def _run_joined(
        self,
        connection: AsyncConnection,
        driver: PostgresDriver,
        values: Sequence[Mapping[str, Any]],
    ) -> bool:
        pairs = zip([*self._returning, self._provided], values, strict=True)
        bound = [part.bound(connection, its) for part, its in pairs]
        self._joined = self._joined or _join([(sql, len(its)) for sql, its in bound])
        return await driver.change_all(self._joined, [one for _, its in bound for one in its])


def _join(parts: Sequence[tuple[str, int]]) -> str:
    """Make one statement of several, each with the number of its values.

    It fails, and so undoes all, unless each returns one row, and the last one true. Rows are locked
    in the order of the parts: PostgreSQL runs a part when its rows are counted. Only then is the
    last one asked: a lock may have been waited for, and where the row did not change meanwhile,
    PostgreSQL would not ask a condition on the row again.
    """
    *changes, (provided, _) = parts
    tables, counts, offset = [], [], 0
    for number, (sql, count) in enumerate(changes):
        tables.append(f"p{number} AS ({_renumbered(sql, offset)})")
        counts.append(f"(SELECT count(*) FROM p{number}) = 1")  # noqa: S608  a number of ours
        offset += count
    counts.append(f"({_renumbered(provided, offset)})")
    one_each = " AND ".join(counts)
    return f"WITH {', '.join(tables)} SELECT 1 / CASE WHEN {one_each} THEN 1 ELSE 0 END"


def _renumbered(sql: str, offset: int) -> str:
    return sub(r"\$(\d+)", lambda one: f"${int(one[1]) + offset}", sql)
