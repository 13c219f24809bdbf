"""The transactional outbox of the worker: a job is there if what caused it is."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.errors import NotFoundError
from signer_core.storage.engine import read_transaction, write_transaction
from signer_core.storage.signer.audit_tables import job_outbox

WAITS, FETCHED, DELIVERED, GIVEN_UP = range(4)  # values of the column `fetched`
MAX_REASON: Final = 200  # characters


@dataclass(frozen=True, slots=True)
class Job:
    """Work for the worker: references and codes only, never data of a person."""

    job_id: bytes  # 16 bytes
    kind: str
    body: bytes  # JSON, at most 16 KiB
    again: bool = False  # it was given up and is to be tried once more


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up."""

    job: Job
    created_at_s: int  # Unix time
    given_up_at_s: int  # Unix time
    reason: str  # a sentence without data


async def enqueue(
    connection: AsyncConnection, kind: str, body: bytes, now_s: int, job_id: bytes | None = None
) -> bytes:
    """Put a job into the outbox in a transaction that writes; return its id, 16 bytes."""
    job_id = job_id or secrets.token_bytes(16)
    row = {
        "job_id": job_id,
        "kind": kind,
        "body": body,
        "created_at_s": now_s,
        "fetched": WAITS,
        "again": 0,
    }
    await connection.execute(insert(job_outbox), row)
    return job_id


class Jobs:
    """The jobs as worker and officers see them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def waiting(self, limit: int) -> Sequence[Job]:
        """Return the oldest jobs that the worker does not have yet."""
        query = select(*_COLUMNS).where(job_outbox.c.fetched == WAITS)
        async with read_transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(job_outbox.c.id).limit(limit))
            return [_job(row) for row in rows]

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
        query = select(*_COLUMNS).where(job_outbox.c.job_id == job_id)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError("there is no such job")
        return _job(row)

    async def close(
        self, connection: AsyncConnection, job_id: bytes, now_s: int, reason: str
    ) -> bool:
        """Note how a job ended, without a reason if it was done; return whether that is news."""
        state = GIVEN_UP if reason else DELIVERED
        ended = update(job_outbox).where(
            job_outbox.c.job_id == job_id, job_outbox.c.fetched != state
        )
        values = {"fetched": state, "ended_at_s": now_s, "reason": reason[:MAX_REASON]}
        return (await connection.execute(ended.values(values))).rowcount == 1

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """Return the jobs that were given up, newest first."""
        table = job_outbox.c
        end = func.coalesce(table.ended_at_s, table.created_at_s).label("end_s")
        query = select(*_COLUMNS, table.created_at_s, end, table.reason).where(
            table.fetched == GIVEN_UP
        )
        async with read_transaction(self._engine) as connection:
            rows = await connection.execute(
                query.order_by(end.desc(), table.id.desc()).limit(limit)
            )
            return [
                DeadLetter(_job(row), row.created_at_s, row.end_s, row.reason or "") for row in rows
            ]

    async def replay(self, connection: AsyncConnection, job_id: bytes) -> Job:
        """Let the worker fetch a job again that was given up.

        Raises:
            NotFoundError: no such job was given up.
        """
        given_up = update(job_outbox).where(
            job_outbox.c.job_id == job_id, job_outbox.c.fetched == GIVEN_UP
        )
        if (await connection.execute(given_up.values(fetched=WAITS, again=1))).rowcount != 1:
            raise NotFoundError("no such job was given up")
        return await self.get(connection, job_id)


_COLUMNS: Final = (job_outbox.c.job_id, job_outbox.c.kind, job_outbox.c.body, job_outbox.c.again)


def _job(row: object) -> Job:
    job_id, kind, body, again = row[:4]  # type: ignore[index]  # a row is a tuple
    return Job(job_id, kind, body, bool(again))
