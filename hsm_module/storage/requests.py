"""Rows of requests: open, reserved, consumed, burned."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from hsm_module.marks.record import Mark, MarkKind
from hsm_module.marks.watermarks import MarksView
from hsm_module.storage import sealing, statements
from hsm_module.storage.beside import Fetched
from hsm_module.storage.known import Seen
from hsm_module.storage.rows import RequestRow
from hsm_module.storage.sealing import AlteredRowError, RolledBackRowError
from hsm_module.storage.tables import requests
from hsm_module.token.port import Token
from signer_core.errors import InvalidRequestError, NotFoundError, VerificationError
from signer_core.identifiers import KeyId, RequestId
from signer_core.ports import RequestState, SignedItem

_HASH_BYTES = 32
CLOSED: Final = (RequestState.CONSUMED, RequestState.BURNED)  # for good: these have a mark


class RequestRows:
    """The requests of one transaction. Lock the key first, then its request."""

    def __init__(
        self, connection: AsyncConnection, token: Token, marks: MarksView, fetched: Fetched
    ) -> None:
        self._connection = connection
        self._fetched = fetched.requests
        self._token = token
        self._marks = marks
        self.seen: dict[RequestId, Seen[RequestRow]] = {}

    async def find(self, request_id: RequestId) -> RequestRow | None:
        """Return a request's row, locked until a transaction that writes ends, or None.

        Raises:
            AlteredRowError: the row is not as the vault wrote it.
            RolledBackRowError: it was, before it was signed or withdrawn; or it is gone since.
        """
        row = await self.find_unmarked(request_id)
        mark = self._marks.find(MarkKind.REQUEST, request_id)
        if mark is not None and (row is None or row.row_version < mark.version):
            raise RolledBackRowError("requests", None if row is None else row.key_id, request_id)
        if row is not None and row.state in CLOSED and mark is None:
            self._marks.note(_mark(row))
        return row

    async def find_unmarked(self, request_id: RequestId) -> RequestRow | None:
        """Return a row as `find` does, whatever its high-water mark: to restore a backup."""
        query = statements.select_request(self._connection)
        try:
            row = self._fetched.pop(request_id, None) or await query.find(
                self._connection, {statements.ROW_ID: request_id}
            )
            if row is None:
                return None
            found = _from_columns(await sealing.verify(self._token, requests, row))
        except (VerificationError, TypeError, ValueError):  # a column of another type, too
            raise AlteredRowError("requests", None, request_id) from None
        self.seen[request_id] = Seen(found, row[sealing.MAC_COLUMN])
        return found

    def marked_version(self, request_id: RequestId) -> int:
        """Return the version that a row must reach, 0 for any."""
        mark = self._marks.find(MarkKind.REQUEST, request_id)
        return 0 if mark is None else mark.version

    async def get(self, request_id: RequestId) -> RequestRow:
        """Return a request's row, locked until a transaction that writes ends.

        Raises:
            NotFoundError: no such request.
            AlteredRowError: the row is not as the vault wrote it.
        """
        row = await self.find(request_id)
        if row is None:
            raise NotFoundError("the vault has no such request")
        return row

    async def insert(self, row: RequestRow) -> None:
        """Store a new request.

        Raises:
            InvalidRequestError: there is one of this id.
        """
        try:
            await self._connection.execute(insert(requests).values(await self._sealed(row)))
        except IntegrityError:
            raise InvalidRequestError("this request id is taken by another request") from None

    async def save(self, row: RequestRow, above: int = 0) -> None:
        """Write a row that was read in this transaction, with a version above `above`, too.

        Raises:
            AlteredRowError: the row in the database is not the one that was read.
        """
        new = replace(row, row_version=max(row.row_version, above) + 1)
        values = await self._sealed(new)
        if not await self._write(row, values):
            raise AlteredRowError("requests", row.key_id, row.request_id)
        if new.state in CLOSED:
            self._marks.note(_mark(new))
        self.seen[row.request_id] = Seen(new, values[sealing.MAC_COLUMN])

    async def _write(self, old: RequestRow, values: dict[str, Any]) -> bool:
        where = {statements.ROW_ID: old.request_id, statements.READ_VERSION: old.row_version}
        return await statements.UPDATE_REQUEST.change(self._connection, values | where) == 1

    async def open_ids(self, key_id: KeyId) -> Sequence[RequestId]:
        """Return the ids of a key's open requests; unchecked, until `get` reads each row."""
        states = (RequestState.OPEN.value, RequestState.RESERVED.value)
        query = select(requests.c.request_id).where(
            requests.c.key_id == key_id, requests.c.state.in_(states)
        )
        found = await self._connection.execute(query.order_by(requests.c.request_id))
        return [RequestId(one) for one in found.scalars()]

    async def consumed_since(
        self, key_id: KeyId, kind: str, expires_after_s: int
    ) -> Sequence[RequestRow]:
        """Return a key's consumed requests of a kind that expired, or will, after this time.

        Raises:
            AlteredRowError: one is not as the vault wrote it.
        """
        query = select(requests.c.request_id).where(
            requests.c.key_id == key_id,
            requests.c.kind == kind,
            requests.c.state == RequestState.CONSUMED.value,
            requests.c.expires_at_s > expires_after_s,
        )
        found = [RequestId(one) for one in (await self._connection.execute(query)).scalars()]
        return [await self.get(one) for one in found]

    async def burn(self, request_id: RequestId) -> None:
        """Void a request that was reserved or open; leave a consumed one as it is."""
        row = await self.get(request_id)
        if row.state in (RequestState.OPEN, RequestState.RESERVED):
            await self.save(replace(row, state=RequestState.BURNED))

    async def _sealed(self, row: RequestRow) -> dict[str, Any]:
        values = to_columns(row)
        return {**values, sealing.MAC_COLUMN: await sealing.seal(self._token, requests, values)}


def _mark(row: RequestRow) -> Mark:
    return Mark(MarkKind.REQUEST, row.request_id, row.row_version, row.expires_at_s)


def to_columns(row: RequestRow) -> dict[str, Any]:
    """Return every column but the MAC."""
    return {
        "request_id": row.request_id,
        "key_id": row.key_id,
        "kind": row.kind,
        "request_hash": row.request_hash,
        "file_hashes": b"".join(row.file_hashes),
        "expires_at_s": row.expires_at_s,
        "state": row.state.value,
        "items": _encode_items(row.items) if row.items else None,
        "row_version": row.row_version,
    }


def _from_columns(row: Mapping[str, Any]) -> RequestRow:
    joined = row["file_hashes"]
    starts = range(0, len(joined), _HASH_BYTES)
    return RequestRow(
        request_id=RequestId(row["request_id"]),
        key_id=KeyId(row["key_id"]),
        kind=row["kind"],
        request_hash=row["request_hash"],
        file_hashes=tuple(joined[start : start + _HASH_BYTES] for start in starts),
        expires_at_s=row["expires_at_s"],
        state=RequestState(row["state"]),
        items=_decode_items(row["items"]) if row["items"] else (),
        row_version=row["row_version"],
    )


def _encode_items(items: tuple[SignedItem, ...]) -> bytes:
    return json.dumps([[i.kind, i.data.hex(), i.signature.hex()] for i in items]).encode()


def _decode_items(encoded: bytes) -> tuple[SignedItem, ...]:
    return tuple(
        SignedItem(kind, bytes.fromhex(data), bytes.fromhex(signature))
        for kind, data, signature in json.loads(encoded)
    )
