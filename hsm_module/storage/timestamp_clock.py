"""The latest time that any vault process has named in a timestamp, to within some seconds."""

from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.storage.trust_tables import timestamp_clock as table
from signer_core.storage.engine import take_turn

_ID: Final = bytes(16)


class TimestampClock:
    """The one row, in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def advance(self, at_ms: int) -> int:
        """Raise the row to a Unix time in milliseconds; return what it is then."""
        await take_turn(self._connection, "timestamp-clock")
        found = await self._connection.execute(select(table.c.at_ms))
        known: int | None = found.scalar_one_or_none()
        if known is None:
            await self._connection.execute(insert(table).values(id=_ID, at_ms=at_ms))
            return at_ms
        if known < at_ms:
            await self._connection.execute(update(table).values(at_ms=at_ms))
        return max(known, at_ms)
