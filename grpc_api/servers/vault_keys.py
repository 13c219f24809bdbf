"""VaultKeysService: keys, and the certificates of people and phones."""

from dataclasses import dataclass

from typing_extensions import override

from grpc_api.gen.signer.vault.v1 import vault_pb2 as wire
from grpc_api.gen.signer.vault.v1 import vault_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.identifiers import KeyId
from signer_core.ports import VaultKeys


@dataclass(frozen=True, slots=True)
class VaultKeysServicer(services.VaultKeysServiceServicer):
    """Converts; the port checks."""

    keys: VaultKeys

    @override
    async def IssueDeviceCertificate(
        self, request: wire.IssueDeviceCertificateRequest, context: Context
    ) -> wire.IssueDeviceCertificateResponse:
        """Certify a device key."""
        issued = await self.keys.issue_device_certificate(request.authorisation, request.device_csr)
        return wire.IssueDeviceCertificateResponse(
            certificate=issued.certificate, chain=issued.chain
        )

    @override
    async def IssueCertificate(
        self, request: wire.IssueCertificateRequest, context: Context
    ) -> wire.IssueCertificateResponse:
        """Certify a two-party key."""
        issued = await self.keys.issue_certificate(KeyId(request.key_id), request.authorisation)
        return wire.IssueCertificateResponse(certificate=issued.certificate, chain=issued.chain)

    @override
    async def RenewCertificate(
        self, request: wire.RenewCertificateRequest, context: Context
    ) -> wire.RenewCertificateResponse:
        """Certify a two-party key and its phone anew."""
        renewed = await self.keys.renew_certificate(KeyId(request.key_id), request.device_csr)
        return wire.RenewCertificateResponse(
            certificate=renewed.person.certificate,
            chain=renewed.person.chain,
            device_certificate=renewed.device.certificate,
            device_chain=renewed.device.chain,
        )

    @override
    async def GetKey(self, request: wire.GetKeyRequest, context: Context) -> wire.GetKeyResponse:
        """Return the state of a key."""
        state = await self.keys.key_state(KeyId(request.key_id))
        return wire.GetKeyResponse(
            status=wire.KeyStatus.Value(f"KEY_STATUS_{state.status.name}"),
            attempts_left=state.attempts_left,
            hold_until_s=state.hold_until_s,
            signatures=state.signatures,
            generation=state.generation,
            device_key_hash=state.device_key_hash,
            wrong_tries=state.wrong_tries,
            ended_by=state.ended_by,
            must_refresh=state.must_refresh,
        )

    @override
    async def SetSuspendCode(
        self, request: wire.SetSuspendCodeRequest, context: Context
    ) -> wire.SetSuspendCodeResponse:
        """Keep the hash of a suspend code."""
        await self.keys.set_suspend_code(KeyId(request.key_id), request.code_hash)
        return wire.SetSuspendCodeResponse()

    @override
    async def SuspendByCode(
        self, request: wire.SuspendByCodeRequest, context: Context
    ) -> wire.SuspendByCodeResponse:
        """Suspend the key with this code."""
        await self.keys.suspend_by_code(request.code_hash)
        return wire.SuspendByCodeResponse()
