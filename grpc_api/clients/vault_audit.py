"""The vault's audit service as the signer sees it."""

from collections.abc import Sequence

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.vault.v1 import vault_audit_pb2 as pb
from grpc_api.gen.signer.vault.v1 import vault_audit_pb2_grpc
from signer_core.audit.leaf import Recorded


class VaultAuditClient:
    """Port `VaultAudit` over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = vault_audit_pb2_grpc.VaultAuditServiceStub(channel)

    async def fetch(self, limit: int) -> Sequence[Recorded]:
        """See `VaultAudit.fetch`."""
        answer = await call(self._stub.FetchEvents, pb.FetchEventsRequest(limit=limit))
        return [_recorded(one) for one in answer.events]

    async def acknowledge(self, event_ids: Sequence[bytes]) -> None:
        """See `VaultAudit.acknowledge`."""
        message = pb.AcknowledgeEventsRequest(event_ids=event_ids)
        await call(self._stub.AcknowledgeEvents, message)

    async def head_size(self) -> int:
        """See `VaultAudit.head_size`."""
        answer = await call(self._stub.GetAuditHead, pb.GetAuditHeadRequest())
        return int(answer.size)

    async def sign_checkpoint(self, size: int, root: bytes, proof: Sequence[bytes]) -> str:
        """See `VaultAudit.sign_checkpoint`."""
        message = pb.SignCheckpointRequest(size=size, root=root, proof=proof)
        answer = await call(self._stub.SignCheckpoint, message)
        return str(answer.checkpoint)


def _recorded(one: pb.AuditEvent) -> Recorded:
    return Recorded(
        event_id=one.event_id,
        at_s=one.at_s,
        event=one.event,
        result=one.result,
        reason=one.reason,
        subject=one.subject,
        actor_kind=one.actor_kind,
        actor_id=one.actor_id,
        source=one.source,
        correlation_id=one.correlation_id,
        key_id=one.key_id or None,
        request_id=one.request_id or None,
    )
