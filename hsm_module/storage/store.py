"""Transactions of the vault's database, and the audit of rows that were altered."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Literal

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from hsm_module.marks.record import Mark, MarkKind, read_key_note
from hsm_module.marks.watermarks import HighWaterMarks, MarksView
from hsm_module.storage.known import Known
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.swap import Swap, UnforeseenError
from hsm_module.storage.tables import keys, requests
from hsm_module.storage.transaction import Transaction
from hsm_module.token.port import Token
from signer_core.audit.events import Event
from signer_core.errors import UnavailableError
from signer_core.observe.metrics import AUDIT_EVENTS
from signer_core.storage.engine import read_once, read_transaction, write_transaction
from signer_core.storage.together import OtherRowsError

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_log = structlog.get_logger(__name__)


class Store:
    """The vault's database. What a transaction wrote is durable when its block has ended.

    Its high-water marks are written by then, too; they are durable where a row has ended for good
    (§7), and after `settle`.
    """

    def __init__(self, engine: AsyncEngine, token: Token, marks: HighWaterMarks) -> None:
        self._engine = engine
        self._token = token
        self._marks = marks
        self._recorded = marks.file.number  # of the file that `record_head` last told of
        self.audit_stopped = False  # too many events wait to be fetched

    async def verify_marks(self) -> None:
        """Check database and marks against each other, and record where the marks stand.

        Raises:
            VerificationError: one is older than the other, or was altered; audited.
        """
        async with self.transaction() as transaction:
            await transaction.heads.verify(self._marks.file)
        await self.record_head()

    async def record_head(self) -> None:
        """Record in the database, and for the audit log, where the marks stand."""
        self._recorded = self._marks.file.number
        async with self.transaction() as transaction:
            where = await transaction.heads.save(self._marks.file)
            await transaction.record(Event("high-water-mark", "recorded", subject=where))

    async def batches(
        self, table: Literal["keys", "requests"], size: int
    ) -> AsyncIterator[Sequence[bytes]]:
        """Yield the ids of a whole table, `size` at a time, in their order."""
        column = {"keys": keys.c.key_id, "requests": requests.c.request_id}[table]
        last = b""
        while True:
            query = select(column).where(column > last).order_by(column).limit(size)
            async with read_transaction(self._engine) as connection:
                ids = (await connection.execute(query)).scalars().all()
            if not ids:
                return
            yield ids
            last = ids[-1]

    def marks_of(self, kind: MarkKind) -> dict[bytes, Mark]:
        """Return the marks of a kind by their ids; rows read after this must have reached them."""
        return self._marks.file.of_kind(kind)

    async def record(self, event: Event) -> None:
        """Put an event into the outbox that tells of nothing else in the database.

        Raises:
            UnavailableError: it cannot be written.
        """
        async with self.transaction() as transaction:
            await transaction.record(event)

    def verify_audited(self) -> None:
        """Check that what happens now will come into the audit log.

        Raises:
            UnavailableError: too many events wait; nothing is judged until they are fetched.
        """
        if self.audit_stopped:
            raise UnavailableError("the audit log is not kept: nothing is signed until it is")

    async def settle(self) -> None:
        """Return when every mark written so far is durable: before anything depends on it."""
        await self._marks.settle()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction that writes.

        Raises:
            AlteredRowError: a row in it is not as the vault wrote it; audited.
            UnavailableError: the database does not answer, or its disk is full.
        """
        view = self._marks.begin()
        async with self._audited(), write_transaction(self._engine) as connection:
            transaction = Transaction(connection, self._token, view)
            yield transaction
        await self._committed(view, transaction)

    def begin_swap(self, known: Known) -> Swap:
        """Begin a transaction over rows as they are known, for `try_swap`."""
        return Swap(known, self._token, self._marks.begin())

    async def try_swap(self, swap: Swap) -> bool:
        """Write what was done in a swap, durably; False, and nothing done, if the rows are others.

        Raises:
            UnavailableError: the database does not answer, or its disk is full.
        """
        try:
            await swap.write(self._engine)
        except (OtherRowsError, UnforeseenError):
            return False
        await self._committed(swap.marks, swap)
        return True

    async def _committed(self, view: MarksView, transaction: Transaction) -> None:
        await view.raise_all(must_last=_has_ended)
        if self._marks.file.number != self._recorded:  # compacted, here or elsewhere
            await self.record_head()
        for event in transaction.recorded:
            AUDIT_EVENTS.labels(event.name, event.result).inc()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Open a transaction that only reads; raises as `transaction`."""
        view = self._marks.begin()
        async with self._audited(), read_transaction(self._engine) as connection:
            yield Transaction(connection, self._token, view)
        await view.raise_all(must_last=_has_ended)

    @asynccontextmanager
    async def reading_once(self) -> AsyncIterator[Transaction]:
        """Read what needs no common state, one query at a time; raises as `transaction`."""
        view = self._marks.begin()
        async with self._audited(), read_once(self._engine) as connection:
            yield Transaction(connection, self._token, view)
        await view.raise_all(must_last=_has_ended)

    @asynccontextmanager
    async def _audited(self) -> AsyncIterator[None]:
        try:
            yield
        except AlteredRowError as error:
            _log.error(error.event, reason=error.table)
            async with self.transaction() as transaction:
                event = Event(
                    error.event, "refused", error.key_id, error.request_id, reason=error.table
                )
                await transaction.record(event)
            raise


def _has_ended(mark: Mark) -> bool:
    """Tell whether a mark must survive a power cut at once: its row has ended for good."""
    match mark.kind:
        case MarkKind.KEY:
            return read_key_note(mark.note)[0]
        case _:
            return True
