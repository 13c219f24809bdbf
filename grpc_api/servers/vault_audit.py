"""VaultAuditService: the vault's events for the log, and signatures of its tree."""

from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.vault.v1 import vault_audit_pb2 as wire
from grpc_api.gen.signer.vault.v1 import vault_audit_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.audit.leaf import Recorded
from signer_core.audit.ports import VaultAudit

SERVICE: Final = "signer.vault.v1.VaultAuditService"


def add_vault_audit(server: grpc.aio.Server, audit: VaultAudit) -> str:
    """Register the service; return its full name."""
    services.add_VaultAuditServiceServicer_to_server(VaultAuditServicer(audit), server)
    return SERVICE


@dataclass(frozen=True, slots=True)
class VaultAuditServicer(services.VaultAuditServiceServicer):
    """Converts; the port checks."""

    audit: VaultAudit

    @override
    async def FetchEvents(
        self, request: wire.FetchEventsRequest, context: Context
    ) -> wire.FetchEventsResponse:
        """Return events that wait."""
        events = await self.audit.fetch(request.limit)
        return wire.FetchEventsResponse(events=map(_event, events))

    @override
    async def AcknowledgeEvents(
        self, request: wire.AcknowledgeEventsRequest, context: Context
    ) -> wire.AcknowledgeEventsResponse:
        """Mark events as fetched."""
        await self.audit.acknowledge(request.event_ids)
        return wire.AcknowledgeEventsResponse()

    @override
    async def GetAuditHead(
        self, request: wire.GetAuditHeadRequest, context: Context
    ) -> wire.GetAuditHeadResponse:
        """Return the size of the last signed tree."""
        return wire.GetAuditHeadResponse(size=await self.audit.head_size())

    @override
    async def SignCheckpoint(
        self, request: wire.SignCheckpointRequest, context: Context
    ) -> wire.SignCheckpointResponse:
        """Sign a tree."""
        note = await self.audit.sign_checkpoint(request.size, request.root, request.proof)
        return wire.SignCheckpointResponse(checkpoint=note)


def _event(one: Recorded) -> wire.AuditEvent:
    return wire.AuditEvent(
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
        key_id=one.key_id or b"",
        request_id=one.request_id or b"",
    )
