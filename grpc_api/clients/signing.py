"""The signer as internal callers see it: ask for a signature, watch, fetch the result."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import grpc

from grpc_api.clients.calls import STREAM_DEADLINE_S, call, stream, typed_errors
from grpc_api.clients.status import RequestStatus
from grpc_api.gen.signer.internal.v1 import signing_pb2 as pb
from grpc_api.gen.signer.internal.v1 import signing_pb2_grpc
from grpc_api.metadata import correlation_metadata
from grpc_api.server_options import MAX_CHUNK_BYTES
from signer_core.errors import UnavailableError
from signer_core.identifiers import RequestId

_STATUS: Mapping[int, RequestStatus] = {
    pb.STATUS_OPEN: RequestStatus.OPEN,
    pb.STATUS_CONSUMED: RequestStatus.CONSUMED,
    pb.STATUS_DECLINED: RequestStatus.DECLINED,
    pb.STATUS_EXPIRED: RequestStatus.EXPIRED,
    pb.STATUS_BURNED: RequestStatus.BURNED,
    pb.STATUS_WITHDRAWN: RequestStatus.WITHDRAWN,
    pb.STATUS_REPLACED: RequestStatus.REPLACED,
}


@dataclass(frozen=True, slots=True)
class FileUpload:
    """One PDF to be signed."""

    name: str  # 1 to 200 characters, no path
    data: bytes  # at most 20 MiB
    visible: bool = False  # draw a stamp
    page: int = 0  # of the stamp, 1 is the first; 0 means the last


@dataclass(frozen=True, slots=True)
class NewRequest:
    """What an internal caller wants signed, and by whom."""

    person_code: str  # RNOKPP of the person whose key shall sign
    relying_party_id: str
    purpose: str  # 1 to 300 characters, shown to the person
    idempotency_key: str  # 1 to 64 characters, the caller's own
    files: Sequence[FileUpload]  # 1 to 64
    return_address: str = ""
    ttl_s: int = 0  # 30 to 86400 seconds; 0 means 900


@dataclass(frozen=True, slots=True)
class RequestView:
    """State of a request."""

    status: RequestStatus
    expires_at_s: int  # Unix time
    file_names: tuple[str, ...]
    decline_reason: str
    certificate: bytes  # DER of the signer's certificate once consumed, else empty
    successor: RequestId | None = None  # the request in this one's place, once replaced


class SigningClient:
    """What an internal caller may ask of the signer."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = signing_pb2_grpc.SigningServiceStub(channel)

    async def create_request(self, request: NewRequest) -> RequestId:
        """Make a request; the same idempotency key and content give the same one.

        Raises:
            InvalidRequestError: a field is malformed, or a file cannot be signed.
            NotFoundError: no such person or relying party.
        """
        with typed_errors():
            answer = await self._stub.CreateRequest(
                _upload(request), timeout=STREAM_DEADLINE_S, metadata=correlation_metadata()
            )
        return RequestId(answer.request_id)

    async def get(self, request_id: RequestId) -> RequestView:
        """Return the state of a request.

        Raises:
            NotFoundError: no such request of this caller.
        """
        answer = await call(self._stub.GetRequest, pb.GetRequestRequest(request_id=request_id))
        return _view(answer.state)

    async def watch(self, request_id: RequestId) -> AsyncIterator[RequestView]:
        """Yield the state now and at each change, until it is final.

        Raises:
            NotFoundError: no such request of this caller.
        """
        message = pb.WatchRequestRequest(request_id=request_id)
        async for answer in stream(self._stub.WatchRequest, message, deadline_s=None):
            yield _view(answer.state)

    async def withdraw(self, request_id: RequestId) -> None:
        """Withdraw an open request.

        Raises:
            NotFoundError: no such request of this caller.
            InvalidRequestError: it is not open any more.
        """
        message = pb.WithdrawRequestRequest(request_id=request_id)
        await call(self._stub.WithdrawRequest, message)

    async def signed_document(self, request_id: RequestId, file_index: int) -> bytes:
        """Return one signed PDF, at most 21 MiB.

        Raises:
            NotFoundError: no such request or file, or it is not signed.
        """
        message = pb.GetSignedDocumentRequest(request_id=request_id, file_index=file_index)
        chunks = [one.chunk async for one in stream(self._stub.GetSignedDocument, message)]
        return b"".join(chunks)


async def _upload(request: NewRequest) -> AsyncIterator[pb.CreateRequestRequest]:
    yield pb.CreateRequestRequest(
        header=pb.RequestHeader(
            person_code=request.person_code,
            relying_party_id=request.relying_party_id,
            purpose=request.purpose,
            return_address=request.return_address,
            ttl_s=request.ttl_s,
            idempotency_key=request.idempotency_key,
        )
    )
    for file in request.files:
        yield pb.CreateRequestRequest(
            file=pb.FileStart(
                name=file.name, size_bytes=len(file.data), visible=file.visible, page=file.page
            )
        )
        for start in range(0, len(file.data), MAX_CHUNK_BYTES):
            yield pb.CreateRequestRequest(chunk=file.data[start : start + MAX_CHUNK_BYTES])


def _view(state: pb.RequestState) -> RequestView:
    if state.status not in _STATUS:
        raise UnavailableError("the signer speaks a newer version")
    return RequestView(
        status=_STATUS[state.status],
        expires_at_s=state.expires_at_s,
        file_names=tuple(state.file_names),
        decline_reason=state.decline_reason,
        certificate=state.certificate,
        successor=RequestId(state.successor) if state.successor else None,
    )
