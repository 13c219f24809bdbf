"""EmergencyService: for an owner whose phone is gone, without any certificate."""

from dataclasses import dataclass

from typing_extensions import override

from grpc_api.gen.signer.phone.v1 import emergency_pb2 as wire
from grpc_api.gen.signer.phone.v1 import emergency_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.servers.source_limits import SourceGate, source_of
from signer_core.keys.emergency import Emergency


@dataclass(frozen=True, slots=True)
class EmergencyServicer(services.EmergencyServiceServicer):
    """Suspends by code; tells nothing but whether the code is somebody's."""

    emergency: Emergency
    gate: SourceGate

    @override
    async def SuspendByCode(
        self, request: wire.SuspendByCodeRequest, context: Context
    ) -> wire.SuspendByCodeResponse:
        """Suspend the key of this code for good."""
        self.gate.admit(source_of(context.peer()))
        await self.emergency.suspend(request.code)
        return wire.SuspendByCodeResponse()
