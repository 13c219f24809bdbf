"""Events of the signer: recorded in the transaction of what they tell of, or alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.audit.events import Event
from signer_core.audit.rows import to_outbox
from signer_core.observe.metrics import AUDIT_EVENTS
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer.audit_tables import audit_outbox

_INSERT: Final = insert(audit_outbox)


@dataclass(frozen=True, slots=True)
class AuditOutbox:
    """Where every part of the signer records its events."""

    engine: AsyncEngine
    clock: Callable[[], datetime]  # UTC

    async def record(self, connection: AsyncConnection, event: Event) -> None:
        """Record an event in a transaction that writes: it is there if that commits.

        Raises:
            UnavailableError: it cannot be written; then what it tells of must not happen.
        """
        row = to_outbox(event) | {"at_s": int(self.clock().timestamp())}
        await connection.execute(_INSERT, row)
        AUDIT_EVENTS.labels(event.name, event.result).inc()

    async def record_alone(self, event: Event) -> None:
        """Record an event that tells of nothing in the database; durable on return.

        Raises:
            UnavailableError: it cannot be written.
        """
        async with write_transaction(self.engine) as connection:
            await self.record(connection, event)
