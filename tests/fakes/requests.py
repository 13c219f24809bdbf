"""Requests and persons' certificates for tests."""

from signer_core.identifiers import KeyId, RequestId
from signer_core.keys.certificates import PersonCertificate
from signer_core.ports import CertificateChain
from signer_core.signing.model import (
    DOCUMENT_SIGNING,
    FileEntry,
    PreparedFile,
    Request,
    RequestContent,
    RequestStatus,
)
from tests.fakes.citizen import NOW, Citizen

KEY_ID = KeyId(b"\x01" * 16)
NOW_S = int(NOW.timestamp())
PERSON_CODE = "1234567899"


def make_file(name="a.pdf", pdf=b"%PDF-prepared", page=None):
    return PreparedFile(FileEntry(name, b"h" * 32, b"attributes", len(pdf), page), pdf)


def make_request(files=None, key_id=KEY_ID):
    return Request(
        request_id=RequestId(b"r" * 16),
        content=RequestContent(key_id, DOCUMENT_SIGNING, "jws", "purpose", ""),
        request_hash=b"q" * 32,
        status=RequestStatus.NEW,
        created_at_s=NOW_S,
        expires_at_s=NOW_S + 900,
        files=(make_file().entry,) if files is None else files,
    )


def issued_to(citizen):
    """Return what the vault issues: the certificate and its issuers, root last."""
    return CertificateChain(citizen.certificate, (*citizen.chain[1:], *citizen.trust_roots))


def make_person_certificate(key_id=KEY_ID, **citizen):
    return PersonCertificate.from_chain(key_id, issued_to(Citizen.make(**citizen)))
