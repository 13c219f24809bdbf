"""Seals below the level asked, and the jobs that raise them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.audit.events import Event
from signer_core.errors import NotFoundError
from signer_core.seals.model import Kind, Level, RepairId
from signer_core.storage.engine import read_transaction, write_transaction
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.jobs import enqueue
from signer_core.storage.signer.seal_tables import seal_repairs as table

JOB_KIND: Final = "seal.repair"  # its body: {"repair_id": 32 hexadecimal digits}


@dataclass(frozen=True, slots=True)
class Repair:
    """A seal that waits."""

    repair_id: RepairId
    caller: str
    kind: Kind
    asked: Level
    reached: Level
    document: bytes = field(repr=False)  # PDF, or CMS in DER
    expires_at_s: int  # Unix time


@dataclass(frozen=True, slots=True)
class SealRepairs:
    """Each change is a transaction with its event, and with its job where there is one."""

    engine: AsyncEngine
    audit: AuditOutbox

    async def keep(self, repairs: Sequence[Repair], now_s: int) -> None:
        """Keep seals with a job for each, and drop those that have expired."""
        async with write_transaction(self.engine) as connection:
            await connection.execute(delete(table).where(table.c.expires_at_s <= now_s))
            for one in repairs:
                await connection.execute(insert(table).values(_row(one)))
                body = json.dumps({"repair_id": one.repair_id.hex()}).encode()
                await enqueue(connection, JOB_KIND, body, now_s, one.repair_id)
                await self._record(connection, one, "lowered")

    async def get(self, repair_id: RepairId, now_s: int) -> Repair:
        """Return a seal.

        Raises:
            NotFoundError: there is none, or it has expired.
        """
        query = select(table).where(table.c.repair_id == repair_id, table.c.expires_at_s > now_s)
        async with read_transaction(self.engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError("no such seal is kept for repair")
        return Repair(
            RepairId(row.repair_id),
            row.caller,
            cast("Kind", row.kind),
            Level(row.asked),
            Level(row.reached),
            row.document,
            row.expires_at_s,
        )

    async def save(self, repair: Repair, was: Level) -> None:
        """Save a seal that was raised, unless another job raised it meanwhile."""
        same = (table.c.repair_id == repair.repair_id, table.c.reached == int(was))
        change = {"document": repair.document, "reached": int(repair.reached)}
        async with write_transaction(self.engine) as connection:
            done = await connection.execute(update(table).where(*same).values(change))
            if done.rowcount == 1 and repair.reached == repair.asked:
                await self._record(connection, repair, "repaired")

    async def forget(self, repair_id: RepairId, caller: str) -> None:
        """Drop a seal."""
        where = (table.c.repair_id == repair_id, table.c.caller == caller)
        async with write_transaction(self.engine) as connection:
            await connection.execute(delete(table).where(*where))

    async def _record(self, connection: AsyncConnection, repair: Repair, result: str) -> None:
        subject = f"{repair.asked}/{repair.reached}"
        event = Event("seal-level", result, request_id=repair.repair_id, subject=subject)
        await self.audit.record(connection, event)


def _row(repair: Repair) -> dict[str, Any]:
    return {
        "repair_id": repair.repair_id,
        "caller": repair.caller,
        "kind": repair.kind,
        "asked": int(repair.asked),
        "reached": int(repair.reached),
        "document": repair.document,
        "expires_at_s": repair.expires_at_s,
    }
