"""The vault as the signer sees it."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from typing import TypeVar

import grpc

from grpc_api.clients.calls import call, typed_errors
from grpc_api.gen.signer.vault.v1 import vault_pb2 as pb
from grpc_api.gen.signer.vault.v1 import vault_pb2_grpc
from grpc_api.metadata import outgoing_metadata
from signer_core.errors import UnavailableError
from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId
from signer_core.ports import (
    CertificateChain,
    KeyState,
    KeyStatus,
    Renewed,
    RequestRegistration,
    RequestResult,
    RequestState,
    SignedItem,
    TellConsumed,
)

T = TypeVar("T")

KEY_STATUS: Mapping[int, KeyStatus] = {
    pb.KEY_STATUS_ACTIVE: KeyStatus.ACTIVE,
    pb.KEY_STATUS_BLOCKED: KeyStatus.BLOCKED,
    pb.KEY_STATUS_SUSPENDED: KeyStatus.SUSPENDED,
    pb.KEY_STATUS_RETIRED: KeyStatus.RETIRED,
    pb.KEY_STATUS_RESTORED: KeyStatus.RESTORED,
}
RESULT_STATUS: Mapping[int, RequestState] = {
    pb.RESULT_STATUS_OPEN: RequestState.OPEN,
    pb.RESULT_STATUS_RESERVED: RequestState.RESERVED,
    pb.RESULT_STATUS_CONSUMED: RequestState.CONSUMED,
    pb.RESULT_STATUS_BURNED: RequestState.BURNED,
}


class VaultRequestsClient:
    """Port `VaultRequests` over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = vault_pb2_grpc.VaultRequestsServiceStub(channel)

    async def register(self, registration: RequestRegistration) -> None:
        """See `VaultRequests.register`."""
        message = pb.RegisterRequestRequest(
            request_id=registration.request_id,
            key_id=registration.key_id,
            kind=registration.kind,
            request_hash=registration.request_hash,
            file_hashes=registration.file_hashes,
            expires_at_s=registration.expires_at_s,
        )
        await call(self._stub.RegisterRequest, message)

    async def burn(self, request_id: RequestId) -> None:
        """See `VaultRequests.burn`."""
        await call(self._stub.BurnRequest, pb.BurnRequestRequest(request_id=request_id))

    async def result(self, request_id: RequestId) -> RequestResult:
        """See `VaultRequests.result`."""
        answer = await call(self._stub.GetResult, pb.GetResultRequest(request_id=request_id))
        return RequestResult(_known(RESULT_STATUS, answer.status), _items(answer.items))


class VaultKeysClient:
    """Port `VaultKeys` over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = vault_pb2_grpc.VaultKeysServiceStub(channel)

    async def issue_device_certificate(
        self, authorisation: str, device_csr: bytes
    ) -> CertificateChain:
        """See `VaultKeys.issue_device_certificate`."""
        message = pb.IssueDeviceCertificateRequest(
            authorisation=authorisation, device_csr=device_csr
        )
        answer = await call(self._stub.IssueDeviceCertificate, message)
        return CertificateChain(answer.certificate, tuple(answer.chain))

    async def issue_certificate(self, key_id: KeyId, authorisation: str) -> CertificateChain:
        """See `VaultKeys.issue_certificate`."""
        message = pb.IssueCertificateRequest(key_id=key_id, authorisation=authorisation)
        answer = await call(self._stub.IssueCertificate, message)
        return CertificateChain(answer.certificate, tuple(answer.chain))

    async def renew_certificate(self, key_id: KeyId, device_csr: bytes) -> Renewed:
        """See `VaultKeys.renew_certificate`."""
        message = pb.RenewCertificateRequest(key_id=key_id, device_csr=device_csr)
        answer = await call(self._stub.RenewCertificate, message)
        return Renewed(
            CertificateChain(answer.certificate, tuple(answer.chain)),
            CertificateChain(answer.device_certificate, tuple(answer.device_chain)),
        )

    async def key_state(self, key_id: KeyId) -> KeyState:
        """See `VaultKeys.key_state`."""
        answer = await call(self._stub.GetKey, pb.GetKeyRequest(key_id=key_id))
        return KeyState(
            status=_known(KEY_STATUS, answer.status),
            attempts_left=answer.attempts_left,
            hold_until_s=answer.hold_until_s,
            signatures=answer.signatures,
            generation=answer.generation,
            device_key_hash=DeviceKeyHash(answer.device_key_hash),
            wrong_tries=answer.wrong_tries,
            ended_by=answer.ended_by,
            must_refresh=answer.must_refresh,
        )

    async def set_suspend_code(self, key_id: KeyId, code_hash: bytes) -> None:
        """See `VaultKeys.set_suspend_code`."""
        message = pb.SetSuspendCodeRequest(key_id=key_id, code_hash=code_hash)
        await call(self._stub.SetSuspendCode, message)

    async def suspend_by_code(self, code_hash: bytes) -> None:
        """See `VaultKeys.suspend_by_code`."""
        await call(self._stub.SuspendByCode, pb.SuspendByCodeRequest(code_hash=code_hash))


class VaultRelayClient:
    """The raw relay: TLS records of one phone to the vault and back, unread."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = vault_pb2_grpc.VaultRelayServiceStub(channel)

    async def connect(
        self, records: AsyncIterator[bytes], tell: TellConsumed
    ) -> AsyncIterator[bytes]:
        """Carry the phone's records, yield the vault's; ends when the vault ends the stream.

        `tell` is called with what the vault says to us beside them: a request is consumed.
        Leaving the loop hangs up on the vault; the end of `records` is passed on.

        Raises:
            SignerError: what the vault says of the stream, never of what is inside the channel.
        """
        vault = self._stub.Connect(metadata=outgoing_metadata())
        sending = asyncio.create_task(_send_all(records, vault))
        try:
            with typed_errors():
                while isinstance(answer := await vault.read(), pb.ConnectResponse):
                    if answer.HasField("consumed"):
                        told = answer.consumed
                        tell(RequestId(told.request_id), _items(told.items))
                    yield answer.tls_records
        finally:
            vault.cancel()
            sending.cancel()
            await asyncio.wait({sending})


async def _send_all(
    records: AsyncIterator[bytes],
    vault: grpc.aio.StreamStreamCall[pb.ConnectRequest, pb.ConnectResponse],
) -> None:
    """Send records, then say that none follow; whoever reads hears why the stream has ended."""
    with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        async for chunk in records:
            await vault.write(pb.ConnectRequest(tls_records=chunk))
        await vault.done_writing()


def _items(items: Iterable[pb.SignedItem]) -> tuple[SignedItem, ...]:
    return tuple(SignedItem(one.kind, one.data, one.signature) for one in items)


def _known(table: Mapping[int, T], number: int) -> T:
    if number not in table:
        raise UnavailableError("the vault speaks a newer version")
    return table[number]
