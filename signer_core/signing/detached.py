"""Both halves of a signature that stands beside what is signed: detached CAdES B-B."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from signer_core.documents import detached_attributes, finish_detached
from signer_core.errors import VerificationError
from signer_core.keys.certificates import PersonCertificate
from signer_core.ports import SignedItem
from signer_core.protocol.to_be_signed import read_cades
from signer_core.signing.model import FileEntry, PreparedFile, Request


def prepare(entry: FileEntry, certificate: PersonCertificate, now: datetime) -> PreparedFile:
    """Give an entry, about a hash alone, the bytes that this person's key signs for it."""
    attributes = detached_attributes(entry.file_hash, certificate.certificate, now)
    made = FileEntry(
        entry.name, entry.file_hash, attributes, entry.size_bytes, media_type=entry.media_type
    )
    return PreparedFile(made, b"")


def is_under(file: FileEntry, certificate: bytes) -> bool:
    """Tell whether a file's attributes name this certificate (DER)."""
    try:
        read_cades(file.to_be_signed, hashlib.sha256(certificate).digest())
    except VerificationError:
        return False
    return True


def finish(
    request: Request,
    items: Sequence[SignedItem],
    certificate: PersonCertificate,
    trust_roots: Collection[bytes],
) -> list[bytes]:
    """Return the CMS (DER) of each file, or of the challenge, in their order.

    Raises:
        VerificationError: signature, certificate and file do not belong together.
    """
    chain = (certificate.certificate, *_issuers(certificate.chain, trust_roots))
    pairs = zip(request.files, items, strict=True)
    return [_finish(file, item, chain) for file, item in pairs]


def _finish(file: FileEntry, item: SignedItem, chain: tuple[bytes, ...]) -> bytes:
    if item.kind != "cms":
        raise VerificationError("the vault's result is not a signature")
    digest, _ = read_cades(item.data, hashlib.sha256(chain[0]).digest())
    if digest != file.file_hash:
        raise VerificationError("the vault signed something else")
    return finish_detached(item.data, item.signature, chain)


def _issuers(chain: Iterable[bytes], trust_roots: Collection[bytes]) -> tuple[bytes, ...]:
    return tuple(der for der in chain if der not in trust_roots)
