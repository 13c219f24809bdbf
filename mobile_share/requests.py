"""What the phone is asked to sign: shown only after the phone has checked all of it itself (§6)."""

import hashlib
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mobile_share.ports import RequestStatus, UntrustedFile, UntrustedRequest
from mobile_share.relying_party import RelyingParty, verify_relying_party
from signer_core.errors import InvalidRequestError, NotFoundError, VerificationError
from signer_core.identifiers import RequestId
from signer_core.protocol.ecdsa2p.messages import MAX_DIGESTS, Item
from signer_core.protocol.request import request_hash
from signer_core.protocol.to_be_signed import byte_range_digest, verify_cms

KIND: Final = "documentSigning"
MAX_PURPOSE_CHARS: Final = 300
_MAX_NAME_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class FileToSign:
    """One file that the person sees, and the bytes that are signed for it."""

    name: str
    content: bytes = field(repr=False)
    file_hash: bytes  # 32 bytes
    to_be_signed: bytes = field(repr=False)  # DER of the CMS signed attributes


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose every shown part this phone has checked; made by `verify_request` only."""

    request_id: RequestId
    relying_party: RelyingParty
    purpose: str
    files: tuple[FileToSign, ...]
    return_address: str
    expires_at_s: int  # Unix time
    request_hash: bytes  # 32 bytes, of what is shown

    def items(self) -> tuple[Item, ...]:
        """Return the bytes to be signed, in the order of the files."""
        return tuple(Item("cms", file.to_be_signed) for file in self.files)


def verify_request(
    untrusted: UntrustedRequest,
    documents: tuple[bytes, ...],
    registry: x509.Certificate,
    certificate: x509.Certificate,
    now_s: int,
) -> Request:
    """Check a request against the pinned registry and the key's own certificate.

    1. It is open, in its time, and of the one kind this phone knows.
    2. The relying party's record is the registry's; kind and return address are in it.
    3. Purpose and names are text of their length that a screen shows as it is.
    4. Each document is what its file hash says, and no two files are the same.
    5. The signed attributes of each file sign its hash under this key's certificate.
    6. The request hash covers exactly what was checked.

    Raises:
        NotFoundError: it is not open any more.
        InvalidRequestError, VerificationError: at the first that fails.
    """
    _check_open(untrusted, now_s)  # 1
    party = _verify_party(untrusted, registry)  # 2
    _verify_text(untrusted)  # 3
    fingerprint = _fingerprint(certificate)
    if not 1 <= len(untrusted.files) == len(documents) <= MAX_DIGESTS:
        raise VerificationError("the request does not have between 1 and 64 documents")
    pairs = zip(untrusted.files, documents, strict=True)
    files = tuple(_verify_file(file, content, fingerprint) for file, content in pairs)  # 4, 5
    if len({file.file_hash for file in files}) != len(files):
        raise VerificationError("the request contains the same document twice")
    return Request(
        request_id=untrusted.request_id,
        relying_party=party,
        purpose=untrusted.purpose,
        files=files,
        return_address=untrusted.return_address,
        expires_at_s=untrusted.expires_at_s,
        request_hash=_request_hash(untrusted, files),  # 6
    )


def _check_open(untrusted: UntrustedRequest, now_s: int) -> None:
    if untrusted.status is not RequestStatus.OPEN:
        raise NotFoundError(f"the request is not open any more: it is {untrusted.status}")
    if untrusted.expires_at_s <= now_s:
        raise NotFoundError("the request has expired")
    if untrusted.kind != KIND or untrusted.challenge:
        raise InvalidRequestError("this phone does not know this kind of request: update it")


def _verify_party(untrusted: UntrustedRequest, registry: x509.Certificate) -> RelyingParty:
    party = verify_relying_party(untrusted.relying_party, registry)
    if untrusted.kind not in party.scopes:
        raise VerificationError("the relying party may not ask for this kind of thing")
    if untrusted.return_address and untrusted.return_address not in party.return_addresses:
        raise VerificationError("the return address is not one of the relying party's")
    return party


def _verify_text(untrusted: UntrustedRequest) -> None:
    verify_shown_text(untrusted.purpose, MAX_PURPOSE_CHARS)
    for file in untrusted.files:
        verify_shown_text(file.name, _MAX_NAME_CHARS)
        if not file.name or file.name in (".", "..") or set("/\\") & set(file.name):
            raise VerificationError("a document's name is not a file name")


def verify_shown_text(text: str, max_chars: int) -> None:
    """Check text before a person sees it: a control character could rewrite the screen.

    Raises:
        VerificationError: too long, or a character that does not print (also those that turn the
            direction of writing).
    """
    if len(text) > max_chars or not text.isprintable():
        raise VerificationError("the request contains text that cannot be shown as it is")


def _verify_file(file: UntrustedFile, content: bytes, fingerprint: bytes) -> FileToSign:
    if not compare_digest(byte_range_digest(content), file.file_hash):
        raise VerificationError("a document is not the one that would be signed")
    verify_cms(file.to_be_signed, file_hashes=[file.file_hash], certificate_sha256=fingerprint)
    return FileToSign(file.name, content, file.file_hash, file.to_be_signed)


def _fingerprint(certificate: x509.Certificate) -> bytes:
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()


def _request_hash(untrusted: UntrustedRequest, files: tuple[FileToSign, ...]) -> bytes:
    return request_hash(
        kind=untrusted.kind,
        relying_party=untrusted.relying_party,
        purpose=untrusted.purpose,
        files=[(file.name, file.file_hash) for file in files],
        return_address=untrusted.return_address,
        challenge=untrusted.challenge,
    )
