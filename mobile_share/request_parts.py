"""What is signed in a request of each kind, checked against what the person sees of it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hmac import compare_digest

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mobile_share.ports import UntrustedFile, UntrustedRequest
from signer_core.errors import VerificationError
from signer_core.protocol.ecdsa2p.messages import MAX_DIGESTS
from signer_core.protocol.request_kind import OF_CHALLENGE, RequestKind
from signer_core.protocol.to_be_signed import byte_range_digest, verify_cades, verify_cms


@dataclass(frozen=True, slots=True)
class FileToSign:
    """One file that the person sees, and the bytes that are signed for it."""

    name: str
    content: bytes = field(repr=False)  # empty where the partner sent only the hash
    file_hash: bytes  # 32 bytes
    to_be_signed: bytes = field(repr=False)  # DER of the CMS signed attributes
    media_type: str = ""  # of a document for reading, as the partner says


@dataclass(frozen=True, slots=True)
class Parts:
    """What is signed, and the files among it."""

    files: tuple[FileToSign, ...]
    to_be_signed: tuple[bytes, ...] = field(repr=False)  # DER of CMS attributes


def verify_parts(
    kind: RequestKind,
    untrusted: UntrustedRequest,
    documents: tuple[bytes, ...],
    certificate: x509.Certificate,
    now_s: int,
) -> Parts:
    """Check what is signed, by the kind of the request.

    Raises:
        VerificationError: it is not what is shown, or not signed under this certificate.
    """
    _verify_shape(kind, untrusted)
    fingerprint = _fingerprint(certificate)
    now = datetime.fromtimestamp(now_s, UTC)
    if kind is RequestKind.ANTIBOT:
        return Parts((), ())
    if kind in OF_CHALLENGE:
        return _verify_challenge(untrusted, fingerprint, now)
    contents = _contents(untrusted, documents)
    pairs = zip(untrusted.files, contents, strict=True)
    if kind is RequestKind.DOCUMENT_SIGNING:
        files = tuple(_verify_pdf(file, content, fingerprint) for file, content in pairs)
    else:
        files = tuple(_verify_hashed(file, content, fingerprint, now) for file, content in pairs)
    if len({file.file_hash for file in files}) != len(files):
        raise VerificationError("the request contains the same document twice")
    return Parts(files, tuple(file.to_be_signed for file in files))


def verify_shown_text(text: str, max_chars: int) -> None:
    """Check text before a person sees it: a control character could rewrite the screen.

    Raises:
        VerificationError: too long, or a character that does not print (also those that turn the
            direction of writing).
    """
    if len(text) > max_chars or not text.isprintable():
        raise VerificationError("the request contains text that cannot be shown as it is")


def verify_shown_lines(text: str, max_chars: int) -> None:
    """Check text of several lines; raises as `verify_shown_text`."""
    if len(text) > max_chars:
        raise VerificationError("the request contains text that cannot be shown as it is")
    for line in text.split("\n"):
        verify_shown_text(line, max_chars)


def _verify_shape(kind: RequestKind, untrusted: UntrustedRequest) -> None:
    """Check that a request has what its kind has, and nothing besides: it would not be shown."""
    has_challenge = kind in OF_CHALLENGE or kind is RequestKind.ANTIBOT
    if len(untrusted.challenge) != (32 if has_challenge else 0):
        raise VerificationError("the request has a challenge of the wrong size for its kind")
    if untrusted.statement and kind not in OF_CHALLENGE:
        raise VerificationError("a request of this kind has no statement")
    count, named = len(untrusted.files), sum(bool(file.name) for file in untrusted.files)
    if kind in OF_CHALLENGE or kind is RequestKind.ANTIBOT:
        if (count, named) != (int(kind in OF_CHALLENGE), 0):
            raise VerificationError("a request of this kind has no files")
    elif not 1 <= count <= MAX_DIGESTS:
        raise VerificationError("the request does not have between 1 and 64 documents")
    elif named != count:
        raise VerificationError("a document's name is not a file name")


def _verify_challenge(untrusted: UntrustedRequest, fingerprint: bytes, now: datetime) -> Parts:
    """Check that the one thing that is signed is the challenge, and what the statement says."""
    (signed,) = untrusted.files
    if untrusted.kind == RequestKind.CONSENT and not untrusted.statement:
        raise VerificationError("a consent without a statement agrees to nothing")
    digest = hashlib.sha256(untrusted.statement.encode()).digest()
    if untrusted.statement and not compare_digest(digest, untrusted.challenge):
        raise VerificationError("the statement is not the one that would be signed")
    verify_cades(
        signed.to_be_signed,
        file_hash=untrusted.challenge,
        certificate_sha256=fingerprint,
        now=now,
    )
    return Parts((), (signed.to_be_signed,))


def _contents(untrusted: UntrustedRequest, documents: tuple[bytes, ...]) -> Iterator[bytes]:
    """Yield the document of each file, empty where there is only a hash."""
    fetched = sum(bool(file.size_bytes) for file in untrusted.files)
    if len(documents) != fetched:
        raise VerificationError("the request has other documents than it says")
    rest = iter(documents)
    return (next(rest) if file.size_bytes else b"" for file in untrusted.files)


def _verify_pdf(file: UntrustedFile, content: bytes, fingerprint: bytes) -> FileToSign:
    if not compare_digest(byte_range_digest(content), file.file_hash):
        raise VerificationError("a document is not the one that would be signed")
    verify_cms(file.to_be_signed, file_hashes=[file.file_hash], certificate_sha256=fingerprint)
    return FileToSign(file.name, content, file.file_hash, file.to_be_signed)


def _verify_hashed(
    file: UntrustedFile, content: bytes, fingerprint: bytes, now: datetime
) -> FileToSign:
    digest = hashlib.sha256(content).digest()
    if file.size_bytes and not compare_digest(digest, file.file_hash):
        raise VerificationError("a document is not the one that would be signed")
    verify_cades(
        file.to_be_signed, file_hash=file.file_hash, certificate_sha256=fingerprint, now=now
    )
    return FileToSign(file.name, content, file.file_hash, file.to_be_signed, file.media_type)


def _fingerprint(certificate: x509.Certificate) -> bytes:
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()
