"""Requests and their states. Every change of state is one conditional statement."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Insert,
    RowMapping,
    Select,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signer_core.errors import NotFoundError, UnavailableError
from signer_core.identifiers import KeyId, RequestId
from signer_core.observe.metrics import REQUESTS
from signer_core.protocol.request_kind import RequestKind
from signer_core.signing.model import (
    FileEntry,
    Origin,
    PreparedFile,
    Request,
    RequestStatus,
)
from signer_core.storage.engine import for_update, read_once, read_transaction, write_transaction
from signer_core.storage.prepared import Prepared
from signer_core.storage.signer.immutable import Immutable
from signer_core.storage.signer.insert import insert_unless
from signer_core.storage.signer.offer_tables import offers
from signer_core.storage.signer.request_rows import file_row, request_row, to_request
from signer_core.storage.signer.tables import request_files, requests, signatures

LISTED_AT_MOST = 100  # newest first, grpc_api/protos/signer/phone/v1/requests.proto

# Asked in every signature, so built once: to build a query costs more than to run it.
_ENTRY: Final = (
    request_files.c.name,
    request_files.c.file_hash,
    request_files.c.to_be_signed,
    request_files.c.size_bytes,
    request_files.c.page,
    request_files.c.media_type,
)
_BY_ID: Final = Prepared(
    select(requests, *_ENTRY)
    .outerjoin(request_files)
    .where(requests.c.request_id == bindparam("the_id"))
    .order_by(request_files.c.position)
)
_ENTRIES: Final = (
    select(*_ENTRY)
    .where(request_files.c.request_id == bindparam("the_id"))
    .order_by(request_files.c.position)
)
_OWNER: Final = Prepared(
    select(requests.c.key_id, requests.c.status).where(requests.c.request_id == bindparam("the_id"))
)
_CONSUME: Final = Prepared(
    update(requests).where(
        requests.c.request_id == bindparam("the_id"), requests.c.status == bindparam("open")
    )
)
_STORE_SIGNATURE: Final = Prepared(insert(signatures))

# Done in the transaction that marks a request consumed.
ConsumedHook = Callable[[AsyncConnection], Awaitable[None]]


class Requests:
    """Requests, without the bytes of their files. Mutable: it remembers whose they are."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._owners = Immutable[RequestId, KeyId]()

    async def add(self, request: Request, origin: Origin, files: Sequence[PreparedFile]) -> bool:
        """Store a new request; return False if its origin has one already."""
        taken = (requests.c.caller == origin.caller) & (
            requests.c.idempotency_key == origin.idempotency_key
        )
        new = insert_unless(taken, requests, request_row(request, origin))
        with suppress(IntegrityError):
            return await self._insert(new, request, files)
        return False

    async def find_by_origin(
        self, caller: str, idempotency_key: str
    ) -> tuple[RequestId, bytes] | None:
        """Return id and fingerprint (32 bytes) of what the caller made under its own key."""
        query = select(requests.c.request_id, requests.c.fingerprint).where(
            requests.c.caller == caller, requests.c.idempotency_key == idempotency_key
        )
        async with read_transaction(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else (RequestId(row.request_id), row.fingerprint)

    async def get(self, request_id: RequestId) -> Request:
        """Return a request, whatever its status.

        Raises:
            NotFoundError: there is none of this id.
        """
        async with read_once(self._engine) as connection:
            # one a file; a request about a key has none
            rows = await _BY_ID.find_all(connection, {"the_id": request_id})
        if not rows:
            raise NotFoundError("no such request")
        files = (
            FileEntry(*(row[one.name] for one in _ENTRY)) for row in rows if row["name"] is not None
        )
        return to_request(rows[0], tuple(files))

    async def owner(self, request_id: RequestId) -> KeyId | None:
        """Return whose request this is, None where there is none that a phone may see."""
        return await self._owners.get(request_id, self._find_owner)

    async def _find_owner(self, request_id: RequestId) -> KeyId | None:
        async with read_once(self._engine) as connection:
            row = await _OWNER.find(connection, {"the_id": request_id})
        return None if row is None or row["status"] == RequestStatus.NEW else KeyId(row["key_id"])

    async def list_open(self, key_id: KeyId, now_s: int) -> tuple[Request, ...]:
        """Return a key's requests that can be signed now, newest first, at most 100."""
        return await self._select(
            (requests.c.key_id == key_id)
            & (requests.c.status == RequestStatus.OPEN)
            & (requests.c.expires_at_s > now_s)
            & requests.c.about_key.is_(None)
        )

    async def waiting(self, key_id: KeyId, now_s: int) -> tuple[RequestId, ...]:
        """Return the ids of all requests of a key that can be signed now, the oldest first."""
        query = (
            select(requests.c.request_id)
            .where(requests.c.key_id == key_id, requests.c.status == RequestStatus.OPEN)
            .where(requests.c.expires_at_s > now_s, requests.c.about_key.is_(None))
            .where(requests.c.kind != RequestKind.ANTIBOT)  # it names no certificate
            .order_by(requests.c.created_at_s)
        )
        return await self._ids(query)

    async def find_action(
        self, key_id: KeyId, kind: str, about: KeyId, now_s: int
    ) -> RequestId | None:
        """Return a request of this key about `about` that is open, or about to be."""
        live = requests.c.status.in_((RequestStatus.NEW, RequestStatus.OPEN))
        query = (
            select(requests.c.request_id)
            .where(requests.c.key_id == key_id, requests.c.about_key == about, live)
            .where(requests.c.kind == kind, requests.c.expires_at_s > now_s)
            .order_by(requests.c.created_at_s.desc())
            .limit(1)
        )
        return next(iter(await self._ids(query)), None)

    async def successor(self, request_id: RequestId) -> RequestId | None:
        """Return the request that took the place of this one."""
        query = select(requests.c.request_id).where(requests.c.replaces == request_id)
        return next(iter(await self._ids(query)), None)

    async def add_successor(
        self, request: Request, replaced: RequestId, files: Sequence[PreparedFile]
    ) -> RequestId:
        """Store a request in another's place; return the one that is there.

        It is the same caller's; the idempotency key says whose place it took. An offer that the
        other came of follows it.
        """
        caller = await self._caller(replaced)
        origin = Origin(caller, f"successor-of:{replaced.hex()}", request.request_hash)
        row = request_row(request, origin)
        new = insert_unless(requests.c.replaces == replaced, requests, row)
        with suppress(IntegrityError):
            if await self._insert(new, request, files, replaced):
                return request.request_id
        known = await self.successor(replaced)
        if known is None:
            raise UnavailableError("the request could not be stored: try again")
        return known

    async def _insert(
        self,
        new: Insert,
        request: Request,
        files: Sequence[PreparedFile],
        replaced: RequestId | None = None,
    ) -> bool:
        """Store a request and its files, unless its place is taken."""
        async with write_transaction(self._engine) as connection:
            added = bool((await connection.execute(new)).rowcount)
            if added:
                await insert_files(connection, request.request_id, files)
            if added and replaced is not None:
                await connection.execute(_moved(replaced, request))
        return added

    async def _caller(self, request_id: RequestId) -> str:
        query = select(requests.c.caller).where(requests.c.request_id == request_id)
        async with read_transaction(self._engine) as connection:
            caller: str = (await connection.scalars(query)).one()
        return caller

    async def _ids(self, query: Select[tuple[Any]]) -> tuple[RequestId, ...]:
        async with read_transaction(self._engine) as connection:
            return tuple(RequestId(i) for i in await connection.scalars(query))

    async def unfinished(self) -> tuple[RequestId, ...]:
        """Return the ids of all requests without a final status: work for a start-up."""
        live = requests.c.status.in_((RequestStatus.NEW, RequestStatus.OPEN))
        return await self._ids(select(requests.c.request_id).where(live))

    async def open(self, request_id: RequestId) -> None:
        """Show a new request to its phone: the vault knows it now."""
        if await self._change(request_id, RequestStatus.NEW, status=RequestStatus.OPEN):
            REQUESTS.labels(RequestStatus.OPEN).inc()

    async def drop_new(self, request_id: RequestId) -> None:
        """Forget a request that the vault refused: nobody has seen it. Its offer is open again."""
        new = select(requests.c.request_id).where(
            requests.c.request_id == request_id, requests.c.status == RequestStatus.NEW
        )
        async with write_transaction(self._engine) as connection:
            # locked: another process may be opening it
            if await connection.scalar(for_update(connection, new)) is None:
                return
            files_of_it = request_files.c.request_id == request_id
            await connection.execute(delete(request_files).where(files_of_it))
            await connection.execute(delete(requests).where(requests.c.request_id == request_id))
            await connection.execute(_reopened(request_id))

    async def intend(self, request_id: RequestId, closing: RequestStatus, reason: str) -> bool:
        """Say why an open request is about to be burned at the vault, before it is."""
        return await self._change(
            request_id, RequestStatus.OPEN, closing=closing, decline_reason=reason
        )

    async def forget_intent(self, request_id: RequestId) -> None:
        """Take `intend` back: the vault did not burn the request."""
        await self._change(request_id, RequestStatus.OPEN, closing=None, decline_reason="")

    async def settle_burned(self, request_id: RequestId, now_s: int) -> bool:
        """Close an open request that the vault burned, under the reason that was intended."""
        final = func.coalesce(requests.c.closing, RequestStatus.BURNED.value)
        statement = (
            update(requests)
            .where(requests.c.request_id == request_id, requests.c.status == RequestStatus.OPEN)
            .values(status=final, ended_at_s=now_s)
        )
        async with write_transaction(self._engine) as connection:
            closed = bool((await connection.execute(statement)).rowcount)
        REQUESTS.labels(RequestStatus.BURNED).inc(closed)
        return closed

    async def settle_expired(self, request_id: RequestId, now_s: int) -> bool:
        """Close an open request that can no longer be signed."""
        ended = {"status": RequestStatus.EXPIRED, "closing": None, "ended_at_s": now_s}
        expired = await self._change(request_id, RequestStatus.OPEN, **ended)
        REQUESTS.labels(RequestStatus.EXPIRED).inc(expired)
        return expired

    async def consume(
        self,
        request_id: RequestId,
        signed: Sequence[bytes],
        now_s: int,
        hooks: Sequence[ConsumedHook] = (),
    ) -> bool:
        """Store a CMS for each file and mark an open request consumed, in one transaction.

        What `hooks` write is there if that commits. Returns False, and stores nothing, if it was
        not open any more.
        """
        states = {"open": RequestStatus.OPEN.value, "status": RequestStatus.CONSUMED.value}
        async with write_transaction(self._engine) as connection:
            consumed = {"the_id": request_id, "ended_at_s": now_s, **states}
            was_open = bool(await _CONSUME.change(connection, consumed))
            for position, cms in enumerate(signed if was_open else ()):
                row = {"request_id": request_id, "position": position, "cms": cms}
                await _STORE_SIGNATURE.change(connection, row)
            for hook in hooks if was_open else ():
                await hook(connection)
        REQUESTS.labels(RequestStatus.CONSUMED).inc(was_open)
        return was_open

    async def _change(
        self, request_id: RequestId, expected: RequestStatus, **values: str | int | None
    ) -> bool:
        statement = (
            update(requests)
            .where(requests.c.request_id == request_id, requests.c.status == expected)
            .values(**values)
        )
        async with write_transaction(self._engine) as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def _select(self, condition: ColumnElement[bool]) -> tuple[Request, ...]:
        newest = (
            select(requests)
            .where(condition)
            .order_by(requests.c.created_at_s.desc())
            .limit(LISTED_AT_MOST)
        )
        async with read_transaction(self._engine) as connection:
            rows = (await connection.execute(newest)).mappings().all()
            return tuple([to_request(row, await _entries(connection, row)) for row in rows])


async def _entries(connection: AsyncConnection, request: RowMapping) -> tuple[FileEntry, ...]:
    files = await connection.execute(_ENTRIES, {"the_id": request["request_id"]})
    return tuple(FileEntry(*row) for row in files)


async def insert_files(
    connection: AsyncConnection, request_id: RequestId, files: Sequence[PreparedFile]
) -> None:
    """Insert the files of a new request in its transaction."""
    for position, file in enumerate(files):
        row = file_row(request_id, position, file)
        await connection.execute(insert(request_files).values(row))


def _reopened(request_id: RequestId) -> Update:
    claimed = (offers.c.request_id == request_id) & (offers.c.stored == "claimed")
    return update(offers).where(claimed).values(stored="open", request_id=None, key_id=None)


def _moved(replaced: RequestId, request: Request) -> Update:
    successor = {"request_id": request.request_id, "key_id": request.content.key_id}
    return update(offers).where(offers.c.request_id == replaced).values(successor)
