"""Transactions of the vault's database, and the audit of rows that were altered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hsm_module.storage import sealing
from hsm_module.storage.clock import unix_time_s
from hsm_module.storage.keys import KeyRows
from hsm_module.storage.records import RecordRows
from hsm_module.storage.requests import RequestRows
from hsm_module.storage.rows import Event
from hsm_module.storage.sealing import AlteredRowError
from hsm_module.storage.tables import consumed_authorisations, outbox
from hsm_module.token.port import Token
from signer_core.errors import DeniedError
from signer_core.identifiers import KeyId
from signer_core.observe.metrics import AUDIT_EVENTS
from signer_core.storage.engine import read_transaction, write_transaction

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_log = structlog.get_logger(__name__)


class Transaction:
    """One transaction: rows, records, events. Committed when its block ends without an error."""

    def __init__(self, connection: AsyncConnection, token: Token) -> None:
        self.keys = KeyRows(connection, token)
        self.requests = RequestRows(connection, token)
        self.records = RecordRows(connection)
        self.recorded: list[Event] = []
        self._connection = connection
        self._token = token
        self._clock = unix_time_s(connection.dialect.name)

    async def now_s(self) -> int:
        """Return the Unix time by the database's clock: one clock for all vault processes."""
        return (await self._connection.execute(select(self._clock))).scalar_one()

    async def consume_authorisation(self, jti: bytes, key_id: KeyId) -> None:
        """Use up an enrolment authorisation.

        Raises:
            DeniedError: it was used before.
        """
        row = {"jti": jti, "key_id": key_id, "consumed_at_s": self._clock}
        try:
            await self._connection.execute(insert(consumed_authorisations).values(row))
        except IntegrityError:
            raise DeniedError("this enrolment authorisation was used before") from None

    async def person_mac(self, person_id: str) -> bytes:
        """Return the keyed hash (32 bytes) that stands for a person."""
        return await sealing.person_mac(self._token, person_id)

    async def record(self, event: Event) -> None:
        """Put an event into the outbox."""
        row = {
            "at_s": self._clock,
            "event": event.name,
            "key_id": event.key_id,
            "request_id": event.request_id,
            "result": event.result,
        }
        await self._connection.execute(insert(outbox).values(row))
        self.recorded.append(event)


class Store:
    """The vault's database. What a transaction wrote is durable when its block has ended."""

    def __init__(self, engine: AsyncEngine, token: Token) -> None:
        self._engine = engine
        self._token = token

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction that writes.

        Raises:
            AlteredRowError: a row in it is not as the vault wrote it; audited.
            UnavailableError: the database does not answer, or its disk is full.
        """
        async with self._audited(), write_transaction(self._engine) as connection:
            transaction = Transaction(connection, self._token)
            yield transaction
        for event in transaction.recorded:  # it is committed
            AUDIT_EVENTS.labels(event.name, event.result).inc()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Open a transaction that only reads; raises as `transaction`."""
        async with self._audited(), read_transaction(self._engine) as connection:
            yield Transaction(connection, self._token)

    @asynccontextmanager
    async def _audited(self) -> AsyncIterator[None]:
        try:
            yield
        except AlteredRowError as error:
            _log.error("row-altered", reason=error.table)
            async with self.transaction() as transaction:
                event = Event("row-altered", error.table, error.key_id, error.request_id)
                await transaction.record(event)
            raise
