"""Several write transactions, one durable commit: SQLite has one writer and one fsync a commit.

While a commit waits for the disk, more transactions queue up; the next `BEGIN IMMEDIATE` runs them
one after another and commits them together. Nobody is answered before that commit
(docs/adr/0007-group-commit.md has the figures).
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.errors import UnavailableError
from signer_core.storage.sqlite_engine import SqliteEngine, commit
from signer_core.storage.sqlite_inline import find_inline
from signer_core.storage.unbroken import unbroken

GROUP_MAX: Final = 64  # transactions a commit: a bound for how long the first one waits


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


@dataclass(frozen=True, slots=True)
class _Turn:
    """One transaction's place in the queue."""

    granted: asyncio.Future[AsyncConnection] = field(default_factory=_future)
    finished: asyncio.Future[bool] = field(default_factory=_future)  # False: undo it
    settled: asyncio.Future[None] = field(default_factory=_future)

    def finish(self, *, keep: bool) -> None:
        """Give the connection back; once."""
        if not self.finished.done():
            self.finished.set_result(keep)

    def settle(self) -> None:
        """Tell the transaction that it is durable, or undone as it wished."""
        if not self.settled.done():  # its owner may have been cancelled
            self.settled.set_result(None)

    def fail(self) -> None:
        """Tell the transaction that the database did not take it."""
        for future in (self.granted, self.settled):
            if not future.done():
                future.set_exception(UnavailableError("the database cannot be used now"))
                future.exception()  # seen: its owner may be gone


class GroupWriter:
    """Runs the write transactions of an engine. Mutable: it holds the queue and its task."""

    def __init__(self, engine: SqliteEngine) -> None:
        self._engine = engine
        self._queue: deque[_Turn] = deque()
        self._running: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Run statements alone in a transaction; durable at the end, undone on any error.

        Raises:
            UnavailableError: the database is locked by another process, full, or gone.
        """
        turn = self._enqueue()
        try:
            yield await turn.granted
        except BaseException:
            turn.finish(keep=False)
            if turn.granted.done() and not turn.granted.cancelled():
                # undone when the caller sees the error
                await unbroken(asyncio.wait({turn.settled}))
            raise
        turn.finish(keep=True)
        await turn.settled

    def _enqueue(self) -> _Turn:
        turn = _Turn()
        self._queue.append(turn)
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain())
        return turn

    async def _drain(self) -> None:
        while self._queue:
            group: list[_Turn] = []
            try:
                async with self._engine.writing() as connection:
                    await self._run_group(connection, group)
                for turn in group:  # the connection is given back: the engine may be closed
                    turn.settle()
            except (UnavailableError, SQLAlchemyError):
                if not group:  # not even begun: those who wait now would wait in vain
                    group.extend(self._queue)
                    self._queue.clear()
            finally:
                for turn in group:
                    turn.fail()  # no effect on those that were settled

    async def _run_group(self, connection: AsyncConnection, group: list[_Turn]) -> None:
        """Run queued transactions, then commit; whoever is in `group` waits for the end.

        One that failed waits too: it may have met a row of a neighbour, which is not stored yet.
        """
        while self._queue and len(group) < GROUP_MAX:
            turn = self._queue.popleft()
            if turn.granted.cancelled():
                continue
            group.append(turn)
            alone = len(group) == 1
            if not await _run_turn(connection, turn, alone=alone) and alone:
                return  # it has no savepoint: the whole is undone
        await commit(connection)


async def _run_turn(connection: AsyncConnection, turn: _Turn, *, alone: bool) -> bool:
    """Lend the connection to one transaction; return whether its work stays.

    Only one that has neighbours before it needs a savepoint.
    """
    inline = find_inline(connection)
    if not alone:
        inline.run("SAVEPOINT turn")
    if not turn.granted.cancelled():
        turn.granted.set_result(connection)
    keep = await turn.finished
    if not alone:
        if not keep:
            inline.run("ROLLBACK TO turn")
        inline.run("RELEASE turn")
    return keep
