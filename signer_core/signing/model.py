"""What the signer keeps of a signature request (docs/spec/request-hash.md)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from signer_core.identifiers import KeyId, OfferId, RequestId
from signer_core.protocol.request import request_hash
from signer_core.protocol.request_kind import RequestKind

DOCUMENT_SIGNING = RequestKind.DOCUMENT_SIGNING.value

Clock = Callable[[], datetime]  # UTC


class RequestStatus(StrEnum):
    """Status of a request. `NEW` is between storing it and the vault's yes; nobody sees it."""

    NEW = "new"
    OPEN = "open"
    CONSUMED = "consumed"
    DECLINED = "declined"
    EXPIRED = "expired"
    BURNED = "burned"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"  # by one under the person's new key


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a request, without its bytes; or its challenge, without a name."""

    name: str = field(repr=False)  # 1 to 200 characters, no path; empty: the challenge
    file_hash: bytes  # 32 bytes, SHA-256: of the file, or over the prepared PDF's ByteRange
    to_be_signed: bytes = field(repr=False)  # DER of the CMS signed attributes
    size_bytes: int  # of the prepared PDF, or of the document for reading; 0: there is none
    page: int | None = None  # of the stamp, 1 is the first, 0 the last; None: invisible
    media_type: str = ""  # of the document for reading


@dataclass(frozen=True, slots=True)
class PreparedFile:
    """A file of a new request: its entry and the prepared PDF, none where only a hash is signed."""

    entry: FileEntry
    prepared: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestContent:
    """What the request hash covers, but for the files, and whose key it is for."""

    key_id: KeyId
    kind: str
    relying_party: str = field(repr=False)  # compact JWS by the registry key
    purpose: str = field(repr=False)  # 1 to 300 characters
    return_address: str = field(repr=False)
    challenge: bytes = field(default=b"", repr=False)  # 32 bytes, or none for files
    about: KeyId | None = None  # of a request about a key: then it has no files
    statement: str = field(default="", repr=False)  # text whose SHA-256 the challenge is
    initiator: str = field(default="", repr=False)  # a hint, not covered by the hash
    offer_id: OfferId | None = None  # of the offer that it came of

    @property
    def is_signed(self) -> bool:
        """Whether the vault has to do with it."""
        return self.kind != RequestKind.ANTIBOT


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked, and under which name of its own: the pair is unique."""

    caller: str  # DNS name of the caller's certificate
    idempotency_key: str  # 1 to 64 characters
    fingerprint: bytes  # 32 bytes, SHA-256 of everything asked


@dataclass(frozen=True, slots=True)
class Request:
    """One request as stored."""

    request_id: RequestId
    content: RequestContent
    request_hash: bytes  # 32 bytes
    status: RequestStatus  # as stored: an open one may have expired, see `status_at`
    created_at_s: int  # Unix time
    expires_at_s: int  # Unix time
    files: tuple[FileEntry, ...] = ()  # 1 to 64; none about a key, and where nothing is signed
    decline_reason: str = field(default="", repr=False)
    replaces: RequestId | None = None  # the request whose place this one took
    ended_at_s: int | None = None  # Unix time; None while it is open, and of old ones

    @property
    def topics(self) -> tuple[bytes, ...]:
        """Whom a change concerns: those who watch the request, and its offer."""
        offer_id = self.content.offer_id
        return (self.request_id,) if offer_id is None else (self.request_id, offer_id)

    def with_files(self, files: Iterable[FileEntry]) -> Self:
        """Return the same request about these files, with the hash of what it asks now."""
        entries, content = tuple(files), self.content
        digest = request_hash(
            kind=content.kind,
            relying_party=content.relying_party,
            purpose=content.purpose,
            files=[(file.name, file.file_hash) for file in entries if file.name],
            return_address=content.return_address,
            challenge=content.challenge,
        )
        return replace(self, files=entries, request_hash=digest)

    def status_at(self, now_s: int) -> RequestStatus:
        """Return the status at `now_s` (Unix time): expiry follows from time, not from a job."""
        expired = self.status is RequestStatus.OPEN and now_s >= self.expires_at_s
        return RequestStatus.EXPIRED if expired else self.status
