"""AuditService: the log for officers and auditors. Who reads it stands in it, too."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.internal.v1 import audit_pb2 as wire
from grpc_api.gen.signer.internal.v1 import audit_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.interceptors.officer import peer_officer
from signer_core.admin.access import Access
from signer_core.audit.events import Event
from signer_core.audit.leaf import line_of
from signer_core.audit.merkle import consistency_proof, inclusion_proof
from signer_core.audit.provenance import Actor, bind_actor
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.audit_reading import MAX_ROWS, AuditReading, Query

SERVICE: Final = "signer.internal.v1.AuditService"
_PAGE: Final = 100  # rows, of at most 600 bytes: a message has at most 64 KiB
_PAUSE_S: Final = 0.5

Door = Callable[[Context], Awaitable[None]]


def officers_only(access: Access) -> Door:
    """Return a check that lets officers and auditors in, and binds who it is."""

    async def verify(context: Context) -> None:
        officer = await access.verify(peer_officer(context), changes=False)
        bind_actor(Actor("officer", officer.officer_id))

    return verify


def add_audit(
    server: grpc.aio.Server, reading: AuditReading, outbox: AuditOutbox, door: Door
) -> str:
    """Register the service; return its full name."""
    servicer = AuditServicer(reading, outbox, door)
    services.add_AuditServiceServicer_to_server(servicer, server)
    return SERVICE


@dataclass(frozen=True, slots=True)
class AuditServicer(services.AuditServiceServicer):
    """Reads and proves."""

    reading: AuditReading
    outbox: AuditOutbox
    door: Door

    @override
    async def Tail(
        self, request: wire.TailRequest, context: Context
    ) -> AsyncIterator[wire.TailResponse]:
        """Stream rows, and new ones as they come."""
        await self.door(context)
        place = getattr(request, "from")
        if request.last:
            size = (await self.reading.tree()).size
            place = max(0, size - min(request.last, MAX_ROWS))
        await self._note("searched", place, None)
        while True:
            rows = await self.reading.rows(place, _PAGE)
            if rows:
                place = rows[-1][0] + 1
                yield wire.TailResponse(rows=[leaf for _, leaf in rows])
            elif not request.follow:
                return
            else:
                await asyncio.sleep(_PAUSE_S)

    @override
    async def Search(self, request: wire.SearchRequest, context: Context) -> wire.SearchResponse:
        """Return the newest matching rows."""
        await self.door(context)
        rows = await self.reading.search(_query(request))
        if rows:
            await self._note("searched", rows[-1][0], rows[0][0])
        return wire.SearchResponse(rows=[leaf for _, leaf in rows])

    @override
    async def Prove(self, request: wire.ProveRequest, context: Context) -> wire.ProveResponse:
        """Prove that a row is in the newest signed tree."""
        await self.door(context)
        newest = await self.reading.newest_checkpoint()
        if newest is None or request.row >= newest.size:
            raise NotFoundError("no signed tree has this row yet: try again in a minute")
        rows = await self.reading.rows(request.row, 1)
        size, row = newest.size, request.row
        proof = await self.reading.prove(lambda fetch: inclusion_proof(fetch, row, size))
        return wire.ProveResponse(row=rows[0][1], checkpoint=newest.note, proof=proof)

    @override
    async def ProveConsistency(
        self, request: wire.ProveConsistencyRequest, context: Context
    ) -> wire.ProveConsistencyResponse:
        """Prove that a tree is the beginning of another."""
        await self.door(context)
        old_size, size = request.old_size, request.size
        if size > (await self.reading.tree()).size:
            raise NotFoundError("the log has not that many rows")
        proof = await self.reading.prove(lambda fetch: consistency_proof(fetch, old_size, size))
        return wire.ProveConsistencyResponse(proof=proof)

    @override
    async def GetCheckpoint(
        self, request: wire.GetCheckpointRequest, context: Context
    ) -> wire.GetCheckpointResponse:
        """Return the newest checkpoint."""
        await self.door(context)
        newest = await self.reading.newest_checkpoint()
        size = (await self.reading.tree()).size
        return wire.GetCheckpointResponse(checkpoint=newest.note if newest else "", size=size)

    @override
    async def Export(
        self, request: wire.ExportRequest, context: Context
    ) -> AsyncIterator[wire.ExportResponse]:
        """Stream rows, then checkpoints."""
        await self.door(context)
        place, end = getattr(request, "from"), (await self.reading.tree()).size
        await self._note("exported", place, end - 1)
        while place < end and (rows := await self.reading.rows(place, min(_PAGE, end - place))):
            place = rows[-1][0] + 1
            yield wire.ExportResponse(rows=_lines([leaf for _, leaf in rows]))
        above = 0
        while found := await self.reading.checkpoints(above):
            above = found[-1].size
            for one in found:
                if one.size <= end:
                    line = json.dumps({"checkpoint": one.note}).encode()
                    yield wire.ExportResponse(checkpoints=line + b"\n")

    async def _note(self, result: str, first: int, last: int | None) -> None:
        subject = f"{first}-" if last is None else f"{first}-{last}"
        await self.outbox.record_alone(Event("audit-read", result, subject=subject))


def _lines(leaves: Sequence[bytes]) -> bytes:
    return b"".join(map(line_of, leaves))


def _query(request: wire.SearchRequest) -> Query:
    if {len(request.key_id), len(request.request_id)} - {0, 16}:
        raise InvalidRequestError("an id has 16 bytes")
    return Query(
        key_id=request.key_id or None,
        request_id=request.request_id or None,
        event=request.event,
        actor_id=request.actor_id,
        subject=request.subject,
        correlation_id=request.correlation_id,
        since_s=request.since_s,
        until_s=request.until_s,
        before=request.before,
        limit=request.limit or _PAGE,
    )
