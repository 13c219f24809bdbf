"""Statements that run at every signature: compiled once, and run past SQLAlchemy.

Its way to the driver and back costs 200 µs of CPU a statement; SQLite itself takes 20, asyncpg 50
(docs/performance.md). Values go and come as they are: bytes, text and whole numbers only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Insert, Select, Update
from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.storage.driver import find_driver


class Prepared:
    """One statement. Mutable: it keeps its SQL."""

    def __init__(self, statement: Select[Any] | Insert | Update) -> None:
        self._statement = statement
        self._compiled: dict[tuple[str, ...], tuple[str, Sequence[str]]] = {}
        selected = statement.selected_columns if isinstance(statement, Select) else ()
        self._names = [str(column.name) for column in selected]

    async def find(
        self, connection: AsyncConnection, values: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Return the columns of the row (a query by primary key: there is no other), or None.

        Raises:
            UnavailableError: the database cannot be used.
        """
        return next(iter(await self.find_all(connection, values)), None)

    async def find_all(
        self, connection: AsyncConnection, values: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the columns of each row; raises as `find`."""
        sql, ordered = self.bound(connection, values)
        rows = await find_driver(connection).fetch(sql, ordered)
        return [dict(zip(self._names, row, strict=True)) for row in rows]

    async def change(self, connection: AsyncConnection, values: Mapping[str, Any]) -> int:
        """Return how many rows were changed.

        Raises:
            UnavailableError: the database cannot be used.
        """
        sql, ordered = self.bound(connection, values)
        return await find_driver(connection).change(sql, ordered)

    def bound(
        self, connection: AsyncConnection, values: Mapping[str, Any]
    ) -> tuple[str, list[Any]]:
        """Return the SQL for values of these names, and the values in its order."""
        given = (connection.dialect.name, *values)
        if given not in self._compiled:
            self._compiled[given] = self._compile(connection, given[1:])
        sql, order = self._compiled[given]
        return sql, [values[name] for name in order]

    def _compile(
        self, connection: AsyncConnection, given: tuple[str, ...]
    ) -> tuple[str, Sequence[str]]:
        keys = None if isinstance(self._statement, Select) else list(given)
        compiled = self._statement.compile(dialect=connection.dialect, column_keys=keys)
        return str(compiled), tuple(getattr(compiled, "positiontup", None) or ())
