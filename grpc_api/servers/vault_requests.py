"""VaultRequestsService: what may be signed, and what was."""

from dataclasses import dataclass

from typing_extensions import override

from grpc_api.gen.signer.vault.v1 import vault_pb2 as wire
from grpc_api.gen.signer.vault.v1 import vault_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.identifiers import KeyId, RequestId
from signer_core.ports import RequestRegistration, SignedItem, VaultRequests


@dataclass(frozen=True, slots=True)
class VaultRequestsServicer(services.VaultRequestsServiceServicer):
    """Converts; the port checks."""

    requests: VaultRequests

    @override
    async def RegisterRequest(
        self, request: wire.RegisterRequestRequest, context: Context
    ) -> wire.RegisterRequestResponse:
        """Open a request."""
        await self.requests.register(
            RequestRegistration(
                request_id=RequestId(request.request_id),
                key_id=KeyId(request.key_id),
                kind=request.kind,
                request_hash=request.request_hash,
                file_hashes=tuple(request.file_hashes),
                expires_at_s=request.expires_at_s,
            )
        )
        return wire.RegisterRequestResponse()

    @override
    async def BurnRequest(
        self, request: wire.BurnRequestRequest, context: Context
    ) -> wire.BurnRequestResponse:
        """Void an open request."""
        await self.requests.burn(RequestId(request.request_id))
        return wire.BurnRequestResponse()

    @override
    async def GetResult(
        self, request: wire.GetResultRequest, context: Context
    ) -> wire.GetResultResponse:
        """Return state and signatures."""
        result = await self.requests.result(RequestId(request.request_id))
        return wire.GetResultResponse(
            status=wire.ResultStatus.Value(f"RESULT_STATUS_{result.state.name}"),
            items=map(signed_item, result.items),
        )


def signed_item(item: SignedItem) -> wire.SignedItem:
    """Return what was signed as a message."""
    return wire.SignedItem(kind=item.kind, data=item.data, signature=item.signature)
