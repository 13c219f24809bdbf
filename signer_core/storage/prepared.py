"""Statements that run at every signature: compiled once, and on SQLite past SQLAlchemy.

Its way to the driver and back costs 200 µs of CPU a statement there, and SQLite itself 20
(docs/performance.md). Values go and come as they are: bytes, text and whole numbers only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Insert, Select, Update
from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.storage.sqlite_inline import InlineConnection, find_inline


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
        inline = find_inline(connection)
        if inline is None:
            found = (await connection.execute(self._statement, values)).mappings()
            return [dict(row) for row in found]
        rows = self._run(connection, inline, values).fetchall()
        return [dict(zip(self._names, row, strict=True)) for row in rows]

    async def change(self, connection: AsyncConnection, values: Mapping[str, Any]) -> int:
        """Return how many rows were changed.

        Raises:
            UnavailableError: the database cannot be used.
        """
        inline = find_inline(connection)
        if inline is None:
            return (await connection.execute(self._statement, values)).rowcount
        changed: int = self._run(connection, inline, values).rowcount
        return changed

    def _run(
        self, connection: AsyncConnection, inline: InlineConnection, values: Mapping[str, Any]
    ) -> Any:
        given = tuple(values)
        if given not in self._compiled:
            self._compiled[given] = self._compile(connection, given)
        sql, order = self._compiled[given]
        return inline.run(sql, [values[name] for name in order])

    def _compile(
        self, connection: AsyncConnection, given: tuple[str, ...]
    ) -> tuple[str, Sequence[str]]:
        keys = None if isinstance(self._statement, Select) else list(given)
        compiled = self._statement.compile(dialect=connection.dialect, column_keys=keys)
        return str(compiled), tuple(getattr(compiled, "positiontup", None) or ())
