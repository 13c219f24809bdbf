"""The audit log as officers and auditors read it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import grpc

from grpc_api.clients.calls import call, stream
from grpc_api.gen.signer.internal.v1 import audit_pb2 as pb
from grpc_api.gen.signer.internal.v1 import audit_pb2_grpc


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; empty fields match everything."""

    key_id: bytes = b""
    request_id: bytes = b""
    event: str = ""
    actor_id: str = ""
    subject: str = ""
    since_s: int = 0
    until_s: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Proof:
    """That a row is in the log: the leaf, the checkpoint, the path between them."""

    row: bytes
    checkpoint: str
    path: Sequence[bytes]


class AuditClient:
    """AuditService over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = audit_pb2_grpc.AuditServiceStub(channel)

    async def tail(self, last: int, *, follow: bool) -> AsyncIterator[bytes]:
        """Yield the last rows, and new ones as they come."""
        message = pb.TailRequest(last=last, follow=follow)
        deadline = {"deadline_s": None} if follow else {}
        async for answer in stream(self._stub.Tail, message, **deadline):
            for row in answer.rows:
                yield row

    async def search(self, wanted: Wanted) -> Sequence[bytes]:
        """Return the newest rows that match."""
        message = pb.SearchRequest(
            key_id=wanted.key_id,
            request_id=wanted.request_id,
            event=wanted.event,
            actor_id=wanted.actor_id,
            subject=wanted.subject,
            since_s=wanted.since_s,
            until_s=wanted.until_s,
            limit=wanted.limit,
        )
        return tuple((await call(self._stub.Search, message)).rows)

    async def prove(self, row: int) -> Proof:
        """Return the proof of a row.

        Raises:
            NotFoundError: there is no such row, or no checkpoint has it yet.
        """
        answer = await call(self._stub.Prove, pb.ProveRequest(row=row))
        return Proof(answer.row, answer.checkpoint, tuple(answer.proof))

    async def export(self) -> AsyncIterator[tuple[bytes, bytes]]:
        """Yield pieces of events.jsonl and of checkpoints.jsonl."""
        async for piece in stream(self._stub.Export, pb.ExportRequest(), deadline_s=None):
            yield piece.rows, piece.checkpoints
