"""The signer as a phone sees it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Self

import grpc

from grpc_api.channel import DeviceChannel, DeviceIdentity, device_context
from grpc_api.clients.hearsay import call, stream
from grpc_api.clients.phone_views import (
    EnrolmentGrant,
    KeyReport,
    OtherKey,
    RenewedChains,
    UntrustedRequest,
    grant_of,
    report_of,
    request_of,
    request_status,
)
from grpc_api.clients.relay import Relay, open_relay, open_vault_channel
from grpc_api.clients.status import RequestStatus
from grpc_api.credentials import device_grpc_channel, enrolment_channel
from grpc_api.gen.signer.phone.v1 import (
    device_pb2,
    device_pb2_grpc,
    enrolment_pb2,
    enrolment_pb2_grpc,
    offers_pb2,
    offers_pb2_grpc,
    requests_pb2,
    requests_pb2_grpc,
)
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import KeyId, RequestId, VaultId
from signer_core.protocol.key_action import KeyAction
from signer_core.protocol.offer_link import OfferLink

MAX_DOCUMENT_BYTES = 24 << 20  # 20 MiB of a caller, and room for a signature


_ACTIONS: Mapping[KeyAction, device_pb2.KeyAction.ValueType] = {
    KeyAction.SUSPENSION: device_pb2.KEY_ACTION_SUSPENSION,
    KeyAction.REVOCATION: device_pb2.KEY_ACTION_REVOCATION,
    KeyAction.REPLACEMENT: device_pb2.KEY_ACTION_REPLACEMENT,
    KeyAction.RENEWAL: device_pb2.KEY_ACTION_RENEWAL,
}


class EnrolmentClient:
    """The signer, as a phone without a certificate sees it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._stub = enrolment_pb2_grpc.EnrolmentServiceStub(channel)

    @classmethod
    def at(cls, address: str, server_name: str, root: bytes) -> Self:
        """Connect to the enrolment listener; `root` (PEM) is the pinned one."""
        return cls(enrolment_channel(address, server_name, root))

    async def begin(self, activation_code: str, device_csr: bytes, photo: bytes) -> EnrolmentGrant:
        """Exchange an activation code for an authorisation and a device certificate.

        Raises:
            NotFoundError: the code is unknown, expired, or another device's.
            DeniedError: the person may not enrol, or the photo does not match.
        """
        message = enrolment_pb2.BeginEnrolmentRequest(
            activation_code=activation_code, device_csr=device_csr, photo=photo
        )
        return grant_of(await call(self._stub.BeginEnrolment, message))

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()


class PhoneClient:
    """The signer, as an enrolled phone sees it. Every method raises SignerError.

    Nothing it says retires a share or counts as a wrong PIN: only the vault's word inside
    `open_vault_channel` does.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._device = device_pb2_grpc.DeviceServiceStub(channel)
        self._requests = requests_pb2_grpc.RequestsServiceStub(channel)
        self._results = requests_pb2_grpc.ResultsServiceStub(channel)
        self._offers = offers_pb2_grpc.OffersServiceStub(channel)

    @classmethod
    def at(cls, address: str, server_name: str, identity: DeviceIdentity, root: bytes) -> Self:
        """Connect to the phone listener; `root` (PEM) is the pinned one."""
        return cls(device_grpc_channel(address, server_name, identity, root))

    def connect(self, key_id: KeyId, request_id: RequestId) -> AbstractAsyncContextManager[Relay]:
        """Open a raw stream to the vault, for TLS records."""
        return open_relay(self._channel, key_id, request_id)

    def open_vault_channel(
        self,
        identity: DeviceIdentity,
        root: bytes,
        vault_id: VaultId,
        key_id: KeyId,
        request_id: RequestId,
    ) -> AbstractAsyncContextManager[DeviceChannel]:
        """Open the channel to the vault, for one session.

        Raises:
            UnavailableError: the relay failed, whatever it said.
            ProtocolAbortError: the other end is not this vault.
        """
        context = device_context(identity, root)
        return open_vault_channel(self._channel, context, vault_id, key_id, request_id)

    async def list_requests(self) -> tuple[UntrustedRequest, ...]:
        """Return the open requests, newest first, at most 100."""
        message = requests_pb2.ListRequestsRequest()
        answer = await call(self._requests.ListRequests, message)
        return tuple(request_of(one) for one in answer.requests)

    async def get_request(self, request_id: RequestId) -> UntrustedRequest:
        """Return one request, whatever its status."""
        message = requests_pb2.GetRequestRequest(request_id=request_id)
        return request_of((await call(self._requests.GetRequest, message)).request)

    async def watch_requests(self) -> AsyncIterator[RequestId]:
        """Yield the ids of open requests now, then of each new one; leave the loop to hang up."""
        message = requests_pb2.WatchRequestsRequest()
        async for answer in stream(self._requests.WatchRequests, message, deadline_s=None):
            yield RequestId(answer.request_id)

    async def decline_request(self, request_id: RequestId, reason: str) -> None:
        """Decline an open request for good; the reason has at most 200 characters."""
        message = requests_pb2.DeclineRequestRequest(request_id=request_id, reason=reason)
        await call(self._requests.DeclineRequest, message)

    async def get_document(self, request_id: RequestId, index: int) -> bytes:
        """Return a file as it will be signed."""
        message = requests_pb2.GetDocumentRequest(request_id=request_id, file_index=index)
        chunks = stream(self._requests.GetDocument, message)
        return await _joined(one.chunk async for one in chunks)

    async def claim_offer(self, link: OfferLink) -> RequestId:
        """Claim what a link offers; return the request that came of it, under this phone's key.

        Raises:
            DeniedError: the code is too old or not ours, or the offer is another person's.
            NotFoundError: no such offer, another phone was faster, or its time is over.
        """
        message = offers_pb2.ClaimOfferRequest(
            offer_id=link.offer_id, step_s=link.step_s, code=link.code
        )
        return RequestId((await call(self._offers.ClaimOffer, message)).request_id)

    async def confirm_presence(
        self, request_id: RequestId, attestation: str, device_signature: bytes
    ) -> None:
        """Confirm an "antibot" request: photo attestation, and 64 bytes of ES256 by this device.

        Raises:
            NotFoundError: it is not open any more.
            DeniedError, VerificationError: attestation or signature do not fit.
        """
        message = offers_pb2.ConfirmPresenceRequest(
            request_id=request_id,
            photo_attestation=attestation,
            device_signature=device_signature,
        )
        await call(self._offers.ConfirmPresence, message)

    async def get_return_url(self, request_id: RequestId) -> str:
        """Return where this device's browser goes after an approval; empty: nowhere.

        Raises:
            NotFoundError: it is not approved.
        """
        message = offers_pb2.GetReturnCodeRequest(request_id=request_id)
        return (await call(self._offers.GetReturnCode, message)).return_url

    async def list_history(self, limit: int = 0, before_s: int = 0) -> tuple[UntrustedRequest, ...]:
        """Return requests that are over, the last to end first.

        `limit`: 1 to 100, 0 means 50. `before_s`: Unix time before which they ended; 0: now.
        """
        message = requests_pb2.ListHistoryRequest(limit=limit, before_s=before_s)
        answer = await call(self._requests.ListHistory, message)
        return tuple(request_of(one) for one in answer.requests)

    async def get_result(self, request_id: RequestId) -> RequestStatus:
        """Return the status of a request, after the signer has asked the vault."""
        message = requests_pb2.GetResultRequest(request_id=request_id)
        return request_status((await call(self._results.GetResult, message)).status)

    async def get_signed_document(self, request_id: RequestId, index: int) -> bytes:
        """Return a signed file."""
        message = requests_pb2.GetSignedDocumentRequest(request_id=request_id, file_index=index)
        chunks = stream(self._results.GetSignedDocument, message)
        return await _joined(one.chunk async for one in chunks)

    async def check_photo(self, request_id: RequestId, photo: bytes) -> str:
        """Return a photo attestation, a compact JWS good for 5 minutes."""
        message = device_pb2.CheckPhotoRequest(request_id=request_id, photo=photo)
        return (await call(self._device.CheckPhoto, message)).attestation

    async def issue_certificate(self, authorisation: str) -> tuple[bytes, ...]:
        """Return the person's certificate and its issuers, DER, the root last."""
        message = device_pb2.IssueCertificateRequest(authorisation=authorisation)
        answer = await call(self._device.IssueCertificate, message)
        return (answer.certificate, *answer.chain)

    async def renew_certificate(self, device_csr: bytes) -> RenewedChains:
        """Return new certificates of person and device, once the owner confirmed.

        Raises:
            NotFoundError: not confirmed lately.
        """
        message = device_pb2.RenewCertificateRequest(device_csr=device_csr)
        answer = await call(self._device.RenewCertificate, message)
        return RenewedChains(
            (answer.certificate, *answer.chain), (answer.device_certificate, *answer.device_chain)
        )

    async def set_suspend_code(self, code_hash: bytes) -> None:
        """Register the hash (32 bytes) of this key's suspend code, once.

        Raises:
            InvalidRequestError: the key has another code already.
        """
        message = device_pb2.SetSuspendCodeRequest(code_hash=code_hash)
        await call(self._device.SetSuspendCode, message)

    async def list_other_keys(self) -> tuple[OtherKey, ...]:
        """Return the other keys of this phone's person, newest first."""
        answer = await call(self._device.ListOtherKeys, device_pb2.ListOtherKeysRequest())
        return tuple(
            OtherKey(KeyId(one.key_id), one.certificate, one.enrolled_at_s) for one in answer.keys
        )

    async def request_key_action(self, action: KeyAction, about: KeyId) -> RequestId:
        """Open a request about a key, to be confirmed with the PIN; return its id."""
        message = device_pb2.RequestKeyActionRequest(action=_ACTIONS[action], about_key_id=about)
        answer = await call(self._device.RequestKeyAction, message)
        return RequestId(answer.request_id)

    async def get_status(self) -> KeyReport:
        """Return the state of this phone's key."""
        return report_of(await call(self._device.GetStatus, device_pb2.GetStatusRequest()))

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()


async def _joined(chunks: AsyncIterator[bytes]) -> bytes:
    """Join a document; a server that never stops sending does not fill the memory."""
    document = bytearray()
    async for chunk in chunks:
        document += chunk
        if len(document) > MAX_DOCUMENT_BYTES:
            raise InvalidRequestError("the document is larger than a signer may send")
    return bytes(document)
