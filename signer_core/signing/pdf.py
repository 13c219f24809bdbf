"""Both halves of signing one PDF. To prepare one takes 10 to 100 ms of CPU: do it in a thread."""

from collections.abc import Sequence
from datetime import datetime

from signer_core.documents import (
    Appearance,
    PreparedPdf,
    finished_cms,
    original_of,
    prepare_pdf,
    signed_attributes,
    verify_finished,
)
from signer_core.errors import VerificationError
from signer_core.keys.certificates import PersonCertificate
from signer_core.ports import SignedItem
from signer_core.signing.model import FileEntry, PreparedFile
from signer_core.signing.new_request import NewFile


def prepare(file: NewFile, certificate: PersonCertificate, now: datetime) -> PreparedFile:
    """Prepare a file for the person's key.

    Raises:
        InvalidRequestError: the PDF cannot be signed; the message says why.
    """
    prepared = prepare_pdf(
        file.pdf,
        signer_certificate=certificate.certificate,
        signed_at=now,
        appearance=Appearance(page=file.page - 1) if file.visible else None,
    )
    pdf = prepared.to_bytes()
    attributes = signed_attributes(prepared.file_hash, certificate.certificate)
    page = file.page if file.visible else None
    return PreparedFile(FileEntry(file.name, prepared.file_hash, attributes, len(pdf), page), pdf)


def prepare_anew(
    prepared: bytes, entry: FileEntry, certificate: PersonCertificate, now: datetime
) -> PreparedFile:
    """Prepare the original of a prepared file again, for another key and from now on.

    The time that a PDF claims is fixed when it is prepared, and no certificate may be younger.

    Raises:
        InvalidRequestError: it cannot be signed any more; the message says why.
    """
    original = original_of(PreparedPdf.from_bytes(prepared))
    visible, page = entry.page is not None, entry.page or 0
    return prepare(NewFile(entry.name, original, visible, page), certificate, now)


def finish(
    prepared: bytes,
    item: SignedItem,
    certificate: PersonCertificate,
    trust_roots: Sequence[bytes],
    now: datetime,
) -> bytes:
    """Return the CMS (DER) for a prepared file, checked as a stranger will check the whole.

    `documents.fill_gap` makes the signed file of both.

    Raises:
        VerificationError: signature, certificate and file do not belong together.
    """
    if item.kind != "cms":
        raise VerificationError("the vault's result is not a document's signature")
    issuers = tuple(der for der in certificate.chain if der not in trust_roots)
    chain = (certificate.certificate, *issuers)
    file = PreparedPdf.from_bytes(prepared)
    cms = finished_cms(
        file,
        signed_attributes=item.data,
        signature=item.signature,
        certificate_chain=chain,
    )
    verify_finished(file, chain, trust_roots=trust_roots, now=now)
    return cms
