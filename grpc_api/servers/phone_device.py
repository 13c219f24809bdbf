"""DeviceService: an enrolled phone about itself."""

from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from grpc_api.gen.signer.phone.v1 import device_pb2 as wire
from grpc_api.gen.signer.phone.v1 import device_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.servers.phone_identity import DeviceDoor
from grpc_api.servers.phone_views import own_request, parse_request_id
from signer_core.errors import InvalidRequestError
from signer_core.keys.enrolment import Enrolment, check_photo_size
from signer_core.ports import Registrar, VaultKeys
from signer_core.storage.signer.requests import Requests

MAX_AUTHORISATION_CHARACTERS: Final = 8192


@dataclass(frozen=True, slots=True)
class DeviceServicer(services.DeviceServiceServicer):
    """Photo check, certificate and status of the device's own key."""

    door: DeviceDoor
    requests: Requests
    enrolment: Enrolment
    registrar: Registrar
    keys: VaultKeys

    @override
    async def CheckPhoto(
        self, request: wire.CheckPhotoRequest, context: Context
    ) -> wire.CheckPhotoResponse:
        """Have a photo attested, for a request of this key or for the key itself."""
        device = await self.door.identify(context)
        check_photo_size(request.photo)
        request_id = parse_request_id(request.request_id)
        if request.request_id != device.key_id:
            await own_request(self.requests, device.key_id, request.request_id)
        attestation = await self.registrar.attest_photo(device.key_hash, request_id, request.photo)
        return wire.CheckPhotoResponse(attestation=attestation)

    @override
    async def IssueCertificate(
        self, request: wire.IssueCertificateRequest, context: Context
    ) -> wire.IssueCertificateResponse:
        """Fetch the person's certificate."""
        device = await self.door.identify(context)
        if not 1 <= len(request.authorisation) <= MAX_AUTHORISATION_CHARACTERS:
            raise InvalidRequestError("the authorisation has 1 to 8192 characters")
        issued = await self.enrolment.issue_certificate(device.key_id, request.authorisation)
        return wire.IssueCertificateResponse(certificate=issued.certificate, chain=issued.chain)

    @override
    async def GetStatus(
        self, request: wire.GetStatusRequest, context: Context
    ) -> wire.GetStatusResponse:
        """Tell the state of the key, for information."""
        device = await self.door.identify(context)
        state = await self.keys.key_state(device.key_id)
        return wire.GetStatusResponse(
            status=wire.KeyStatus.Value(f"KEY_STATUS_{state.status.name}"),
            attempts_left=state.attempts_left,
            hold_until_s=state.hold_until_s,
            signatures=state.signatures,
            generation=state.generation,
        )
