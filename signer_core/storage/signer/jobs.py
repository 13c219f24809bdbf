"""The transactional outbox of the worker: a job is there if what caused it is."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.errors import NotFoundError
from signer_core.storage.engine import read_transaction, write_transaction
from signer_core.storage.signer.audit_tables import job_outbox

WAITS, FETCHED, DELIVERED, GIVEN_UP = range(4)  # values of the column `fetched`


@dataclass(frozen=True, slots=True)
class Job:
    """Work for the worker: references and codes only, never data of a person."""

    job_id: bytes  # 16 bytes
    kind: str
    body: bytes  # JSON, at most 16 KiB


async def enqueue(connection: AsyncConnection, kind: str, body: bytes, now_s: int) -> bytes:
    """Put a job into the outbox in a transaction that writes; return its id."""
    job_id = secrets.token_bytes(16)
    row = {"job_id": job_id, "kind": kind, "body": body, "created_at_s": now_s, "fetched": WAITS}
    await connection.execute(insert(job_outbox), row)
    return job_id


class Jobs:
    """The jobs as the worker sees them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(self, limit: int) -> Sequence[Job]:
        """Return the oldest jobs that the worker does not have yet."""
        columns = (job_outbox.c.job_id, job_outbox.c.kind, job_outbox.c.body)
        query = select(*columns).where(job_outbox.c.fetched == WAITS)
        async with read_transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(job_outbox.c.id).limit(limit))
            return [Job(*row) for row in rows]

    async def acknowledge(self, job_ids: Sequence[bytes]) -> None:
        """Say that the worker has these, durably; repeating it is harmless."""
        these = job_outbox.c.job_id.in_(list(job_ids)) & (job_outbox.c.fetched == WAITS)
        async with write_transaction(self._engine) as connection:
            await connection.execute(update(job_outbox).where(these).values(fetched=FETCHED))

    async def get(self, connection: AsyncConnection, job_id: bytes) -> Job:
        """Return a job, waiting or not.

        Raises:
            NotFoundError: there is none.
        """
        columns = (job_outbox.c.job_id, job_outbox.c.kind, job_outbox.c.body)
        query = select(*columns).where(job_outbox.c.job_id == job_id)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError("there is no such job")
        return Job(*row)

    async def close(self, connection: AsyncConnection, job_id: bytes, *, delivered: bool) -> bool:
        """Note how a job ended; return whether that is news."""
        state = DELIVERED if delivered else GIVEN_UP
        known = job_outbox.c.fetched == state
        ended = update(job_outbox).where(job_outbox.c.job_id == job_id, ~known)
        return (await connection.execute(ended.values(fetched=state))).rowcount == 1
