"""Transactions of the vault's database, and the audit of rows that were altered."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import structlog
from sqlalchemy import ColumnElement, Integer, cast, func, insert, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hsm_module.storage.keys import KeyRows
from hsm_module.storage.records import RecordRows
from hsm_module.storage.requests import RequestRows
from hsm_module.storage.rows import Event
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.tables import consumed_authorisations, outbox
from hsm_module.token.port import Token
from signer_core.errors import DeniedError, UnavailableError
from signer_core.identifiers import KeyId

_log = structlog.get_logger(__name__)


class Transaction:
    """One transaction: rows, records, events. Committed when its block ends without an error."""

    def __init__(self, connection: AsyncConnection, token: Token) -> None:
        self.keys = KeyRows(connection, token)
        self.requests = RequestRows(connection, token)
        self.records = RecordRows(connection)
        self._connection = connection

    async def now_s(self) -> int:
        """Return the Unix time by the database's clock: one clock for all vault processes."""
        return (await self._connection.execute(select(self._clock()))).scalar_one()

    async def consume_authorisation(self, jti: bytes, key_id: KeyId) -> None:
        """Use up an enrolment authorisation.

        Raises:
            DeniedError: it was used before.
        """
        row = {"jti": jti, "key_id": key_id, "consumed_at_s": self._clock()}
        try:
            await self._connection.execute(insert(consumed_authorisations).values(row))
        except IntegrityError:
            raise DeniedError("this enrolment authorisation was used before") from None

    async def record(self, event: Event) -> None:
        """Put an event into the outbox."""
        row = {
            "at_s": self._clock(),
            "event": event.name,
            "key_id": event.key_id,
            "request_id": event.request_id,
            "result": event.result,
        }
        await self._connection.execute(insert(outbox).values(row))

    def _clock(self) -> ColumnElement[int]:
        if self._connection.dialect.name == "sqlite":
            return func.unixepoch(type_=Integer)
        # clock_timestamp, not now(): the transaction may have waited for its row lock
        return cast(func.floor(func.extract("epoch", func.clock_timestamp())), Integer)


class Store:
    """The vault's database. Every write of it is durable when the block has ended."""

    def __init__(self, engine: AsyncEngine, token: Token) -> None:
        self._engine = engine
        self._token = token
        # SQLite has one writer; waiting here is fair, its own busy handler sleeps and polls
        self._one_writer = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction that sees no other's half.

        Raises:
            AlteredRowError: a row in it is not as the vault wrote it; audited.
            UnavailableError: the database does not answer, or its disk is full.
        """
        try:
            async with self._begin() as transaction:
                yield transaction
        except AlteredRowError as error:
            await self._audit(error)
            raise

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[Transaction]:
        try:
            async with self._turn(), self._engine.begin() as connection:
                yield Transaction(connection, self._token)
        except DBAPIError as error:
            _log.error("database-failed", error=type(error.orig).__name__)
            raise UnavailableError("the vault's database does not answer") from None

    def _turn(self) -> AbstractAsyncContextManager[object]:
        return self._one_writer or nullcontext()

    async def _audit(self, error: AlteredRowError) -> None:
        _log.error("row-altered", table=error.table, key_id=error.key_id and error.key_id.hex())
        event = Event("row-altered", error.table, error.key_id, error.request_id)
        async with self._begin() as transaction:
            await transaction.record(event)
