"""DeviceService: an enrolled phone about itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from grpc_api.gen.signer.phone.v1 import device_pb2 as wire
from grpc_api.gen.signer.phone.v1 import device_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.servers.phone_identity import DeviceDoor
from grpc_api.servers.phone_limits import CallGate
from grpc_api.servers.phone_views import own_request_id, parse_request_id
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import KeyId
from signer_core.keys.actions import KeyActions
from signer_core.keys.emergency import Emergency
from signer_core.keys.enrolment import Enrolment, check_photo_size
from signer_core.keys.renewal import Renewal
from signer_core.ports import Registrar, VaultKeys
from signer_core.protocol.key_action import KeyAction
from signer_core.storage.signer.requests import Requests

MAX_AUTHORISATION_CHARACTERS: Final = 8192
_ACTIONS: Final[Mapping[int, KeyAction]] = {
    wire.KEY_ACTION_SUSPENSION: KeyAction.SUSPENSION,
    wire.KEY_ACTION_REVOCATION: KeyAction.REVOCATION,
    wire.KEY_ACTION_REPLACEMENT: KeyAction.REPLACEMENT,
    wire.KEY_ACTION_RENEWAL: KeyAction.RENEWAL,
}


@dataclass(frozen=True, slots=True)
class DeviceServicer(services.DeviceServiceServicer):
    """Photo check, certificate, status and end of the device's own key."""

    door: DeviceDoor
    requests: Requests
    enrolment: Enrolment
    registrar: Registrar
    keys: VaultKeys
    actions: KeyActions
    emergency: Emergency
    renewal: Renewal
    calls: CallGate

    @override
    async def CheckPhoto(
        self, request: wire.CheckPhotoRequest, context: Context
    ) -> wire.CheckPhotoResponse:
        """Have a photo attested, for a request of this key or for the key itself."""
        device = await self.door.identify(context)
        check_photo_size(request.photo)
        request_id = parse_request_id(request.request_id)
        if request.request_id != device.key_id:
            await own_request_id(self.requests, device.key_id, request.request_id)
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
    async def RenewCertificate(
        self, request: wire.RenewCertificateRequest, context: Context
    ) -> wire.RenewCertificateResponse:
        """Fetch new certificates of person and device."""
        device = await self.door.identify(context)
        self.calls.admit(device.key_hash)
        renewed = await self.renewal.finish(device.key_id, request.device_csr)
        return wire.RenewCertificateResponse(
            certificate=renewed.person.certificate,
            chain=renewed.person.chain,
            device_certificate=renewed.device.certificate,
            device_chain=renewed.device.chain,
        )

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
            wrong_tries=state.wrong_tries,
            ended_by=state.ended_by,
            must_refresh=state.must_refresh,
            renew_before_s=await self.renewal.due_before_s(device.key_id),
        )

    @override
    async def SetSuspendCode(
        self, request: wire.SetSuspendCodeRequest, context: Context
    ) -> wire.SetSuspendCodeResponse:
        """Register the hash of the key's suspend code."""
        device = await self.door.identify(context)
        self.calls.admit(device.key_hash)
        await self.emergency.set_code(device.key_id, request.code_hash)
        return wire.SetSuspendCodeResponse()

    @override
    async def ListOtherKeys(
        self, request: wire.ListOtherKeysRequest, context: Context
    ) -> wire.ListOtherKeysResponse:
        """List the other keys of this person."""
        device = await self.door.identify(context)
        self.calls.admit(device.key_hash)
        return wire.ListOtherKeysResponse(
            keys=[
                wire.OtherKey(
                    key_id=one.key_id, certificate=one.certificate, enrolled_at_s=one.enrolled_at_s
                )
                for one in await self.actions.others(device.key_id)
            ]
        )

    @override
    async def RequestKeyAction(
        self, request: wire.RequestKeyActionRequest, context: Context
    ) -> wire.RequestKeyActionResponse:
        """Open a request about a key."""
        device = await self.door.identify(context)
        self.calls.admit(device.key_hash)
        about = KeyId(parse_request_id(request.about_key_id))
        action = _ACTIONS.get(request.action)
        if action is None:
            raise InvalidRequestError("there is no such action on a key")
        request_id = await self.actions.open(device.key_id, action, about)
        return wire.RequestKeyActionResponse(request_id=request_id)
