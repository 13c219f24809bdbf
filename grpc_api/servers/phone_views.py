"""What a phone sees of a request, and the rule that it sees only its own."""

from collections.abc import Iterator
from typing import Final

from grpc_api.gen.signer.phone.v1 import requests_pb2 as wire
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId, RequestId
from signer_core.signing.model import FileEntry, Request, RequestStatus
from signer_core.storage.signer.requests import Requests

CHUNK_BYTES: Final = 64 * 1024
MAX_LIST_BYTES: Final = 2 * 1024 * 1024  # half of gRPC's largest message, 4 MiB


def parse_request_id(raw: bytes) -> RequestId:
    """Return a request id.

    Raises:
        InvalidRequestError: it has not 16 bytes.
    """
    if len(raw) != 16:
        raise InvalidRequestError("a request id has 16 bytes")
    return RequestId(raw)


async def own_request(requests: Requests, key_id: KeyId, raw_id: bytes) -> Request:
    """Return a request of this key; another key's does not exist for it.

    Raises:
        InvalidRequestError: the id has not 16 bytes.
        NotFoundError: this key has no such request.
    """
    request = await requests.get(parse_request_id(raw_id))
    if request.content.key_id != key_id or request.status is RequestStatus.NEW:
        raise NotFoundError("no such request")
    return request


async def own_request_id(requests: Requests, key_id: KeyId, raw_id: bytes) -> RequestId:
    """Return the id of a request of this key; raises as `own_request`."""
    request_id = parse_request_id(raw_id)
    if await requests.owner(request_id) != key_id:
        raise NotFoundError("no such request")
    return request_id


def request_message(request: Request, now_s: int) -> wire.SignatureRequest:
    """Show a request as it is at `now_s` (Unix time)."""
    content = request.content
    return wire.SignatureRequest(
        request_id=request.request_id,
        kind=content.kind,
        relying_party=content.relying_party,
        purpose=content.purpose,
        files=[_file_message(file) for file in request.files],
        return_address=content.return_address,
        challenge=content.challenge,
        created_at_s=request.created_at_s,
        expires_at_s=request.expires_at_s,
        status=status_message(request.status_at(now_s)),
        statement=content.statement,
        initiator=content.initiator,
        offer_id=content.offer_id or b"",
        ended_at_s=request.ended_at_s or 0,
    )


def status_message(status: RequestStatus) -> wire.RequestStatus.ValueType:
    """Name a status on the wire."""
    return wire.RequestStatus.Value(f"REQUEST_STATUS_{status.name}")


def within_one_message(shown: Iterator[wire.SignatureRequest]) -> list[wire.SignatureRequest]:
    """Take as many requests as fit into one answer, at least one; the others wait their turn."""
    taken: list[wire.SignatureRequest] = []
    size_bytes = 0
    for request in shown:
        size_bytes += request.ByteSize()
        if taken and size_bytes > MAX_LIST_BYTES:
            break
        taken.append(request)
    return taken


def chunks(data: bytes) -> Iterator[bytes]:
    """Cut into parts of at most 64 KiB."""
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


def _file_message(file: FileEntry) -> wire.FileToSign:
    return wire.FileToSign(
        name=file.name,
        file_hash=file.file_hash,
        to_be_signed=file.to_be_signed,
        size_bytes=file.size_bytes,
        media_type=file.media_type,
    )
