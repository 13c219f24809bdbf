"""Callbacks to partners: a row and a job, in the transaction of what they tell of."""

import json
from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.callbacks.model import JOB_KIND, KEPT_S, Callback
from signer_core.callbacks.result import Signed
from signer_core.errors import NotFoundError
from signer_core.identifiers import RequestId
from signer_core.storage.engine import read_transaction
from signer_core.storage.signer.callback_tables import callbacks as table
from signer_core.storage.signer.jobs import enqueue
from signer_core.storage.signer.tables import request_files, signatures


@dataclass(frozen=True, slots=True)
class Callbacks:
    """The callbacks of a signer's database."""

    engine: AsyncEngine

    async def add(self, connection: AsyncConnection, callback: Callback, now_s: int) -> None:
        """Keep a callback with its job, and drop those that have expired."""
        await self.drop_expired(connection, now_s)
        row = {
            "callback_id": callback.callback_id,
            "offer_id": callback.offer_id,
            "partner_id": callback.partner_id,
            "address": callback.address,
            "headers": json.dumps(callback.headers),
            "body": callback.body,
            "expires_at_s": now_s + KEPT_S,
        }
        await connection.execute(insert(table), row)
        body = json.dumps({"partner_id": callback.partner_id}).encode()
        await enqueue(connection, JOB_KIND, body, now_s, callback.callback_id)

    async def drop_expired(self, connection: AsyncConnection, now_s: int) -> None:
        """Drop what is a week old."""
        await connection.execute(delete(table).where(table.c.expires_at_s <= now_s))

    async def get(self, callback_id: bytes, now_s: int) -> Callback:
        """Return a callback.

        Raises:
            NotFoundError: it was delivered, or has expired.
        """
        query = select(table).where(
            table.c.callback_id == callback_id, table.c.expires_at_s > now_s
        )
        async with read_transaction(self.engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFoundError("no such callback is kept")
        headers = tuple((name, value) for name, value in json.loads(row.headers))
        return Callback(
            row.callback_id, row.offer_id, row.partner_id, row.address, headers, row.body
        )

    async def forget(self, connection: AsyncConnection, callback_id: bytes) -> None:
        """Drop a callback that its partner has."""
        await connection.execute(delete(table).where(table.c.callback_id == callback_id))


async def read_signed(connection: AsyncConnection, request_id: RequestId) -> list[Signed]:
    """Return what was signed of a request, as a transaction sees it."""
    columns = request_files.c
    query = (
        select(columns.name, columns.file_hash, signatures.c.cms)
        .join(signatures)
        .where(columns.request_id == request_id)
        .order_by(columns.position)
    )
    return [Signed(*row) for row in await connection.execute(query)]
