"""Changes told between the signer processes of one PostgreSQL: LISTEN and NOTIFY.

Nothing depends on them: whoever watches a request also polls (SQLite has polling alone), so one
that is lost costs seconds, no more.
"""

import asyncio
from typing import Any, Final

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.errors import UnavailableError
from signer_core.signing.notices import Notices

CHANNEL: Final = "signer_changes"
MAX_WAITING: Final = 1_000  # while the server is away; what is more is found by polling
_RETRY_S: Final = 1.0
_NOTIFY: Final = "SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic"
# However a dying connection says so: as itself, or as SQLAlchemy and asyncpg find it half closed.
_AWAY: Final = (
    UnavailableError,
    OSError,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

log = structlog.get_logger()


class _Lost:
    """The end of one connection; that of an earlier one must not end the next."""


class Announcements:
    """Passes on what this process tells, rings what others told. Mutable: it holds a queue."""

    def __init__(self, engine: AsyncEngine, notices: Notices) -> None:
        self._engine = engine
        self._notices = notices
        self._queue: asyncio.Queue[bytes | _Lost] = asyncio.Queue()
        notices.pass_on(self._announce)

    async def run(self) -> None:
        """Listen and announce until cancelled; a lost connection is made anew."""
        while True:
            try:
                await self._listen()
            except _AWAY:
                log.warning("announcements.lost")
            await asyncio.sleep(_RETRY_S)

    def _announce(self, topic: bytes) -> None:
        if self._queue.qsize() < MAX_WAITING:
            self._queue.put_nowait(topic)

    async def _listen(self) -> None:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            lost = _Lost()
            driver.add_termination_listener(lambda _: self._queue.put_nowait(lost))
            try:
                # a notification has nothing to survive a power cut for
                await driver.execute("SET synchronous_commit = off")
                await driver.add_listener(CHANNEL, self._heard)
                while lost not in (waiting := await self._all_that_wait()):
                    topics = [one.hex() for one in waiting if isinstance(one, bytes)]
                    await driver.execute(_NOTIFY, CHANNEL, topics)
                self._put_back(waiting)
            finally:
                await connection.invalidate()  # with its settings, not back into the pool

    async def _all_that_wait(self) -> list[bytes | _Lost]:
        """Wait for the first in the queue; return all: one statement tells them."""
        waiting = [await self._queue.get()]
        while not self._queue.empty():
            waiting.append(self._queue.get_nowait())
        return waiting

    def _put_back(self, waiting: list[bytes | _Lost]) -> None:
        """Keep for the next connection what was not told."""
        for topic in waiting:
            if isinstance(topic, bytes):
                self._announce(topic)

    def _heard(self, _connection: object, _pid: int, _channel: str, topic: str) -> None:
        self._notices.ring(bytes.fromhex(topic))
