"""EnrolmentService: for a phone that has no certificate yet."""

from dataclasses import dataclass

from typing_extensions import override

from grpc_api.gen.signer.phone.v1 import enrolment_pb2 as wire
from grpc_api.gen.signer.phone.v1 import enrolment_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.keys.enrolment import Enrolment


@dataclass(frozen=True, slots=True)
class EnrolmentServicer(services.EnrolmentServiceServicer):
    """Exchanges activation codes for device certificates."""

    enrolment: Enrolment

    @override
    async def BeginEnrolment(
        self, request: wire.BeginEnrolmentRequest, context: Context
    ) -> wire.BeginEnrolmentResponse:
        """Have registrar and vault grant one enrolment."""
        enrolled = await self.enrolment.begin(
            request.activation_code, request.device_csr, request.photo
        )
        return wire.BeginEnrolmentResponse(
            key_id=enrolled.grant.key_id,
            vault_id=enrolled.vault_id,
            authorisation=enrolled.grant.authorisation,
            attestation=enrolled.grant.attestation,
            device_certificate=enrolled.device.certificate,
            device_chain=enrolled.device.chain,
            full_name=enrolled.grant.full_name,
        )
