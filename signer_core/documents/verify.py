"""Verifying the signatures of a PDF: one report for each, valid or why not.

Revocation is not checked yet; a valid report does not say that the certificate was not revoked.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.generic import DictionaryObject, PdfObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from signer_core.documents.certificates import common_name, parse_certificate, tax_number
from signer_core.documents.checks import Checker, RefusedError, Trust
from signer_core.documents.reading import PARSER_ERRORS, damaged, open_pdf
from signer_core.documents.report import (
    Coverage,
    InvalidSignature,
    SignatureReport,
    Signer,
    ValidSignature,
)
from signer_core.errors import InvalidRequestError


def verify_pdf(
    pdf: bytes,
    *,
    trust_roots: Sequence[bytes],
    other_certificates: Sequence[bytes] = (),
    now: datetime,
) -> list[SignatureReport]:
    """Verify each signature of a PDF, in the order of signing; no signature, no report.

    A document timestamp is nobody's signature: it has no report either.

    Certificates are DER; `other_certificates` may help to build a chain and are not trusted. For
    each signature, the first step that fails is reported:

    1. It can be read, and is of a kind known here.
    2. It covers everything up to the end of its revision but itself.
    3. The covered bytes are those that were signed.
    4. The signature verifies under the certificate in it.
    5. What was appended later is read by all programs alike.
    6. What was appended later does not change what was signed.
    7. The claimed time is not to come, and the certificate was valid then.
    8. The certificate is for signing documents and chains to a trusted root, now, with
       algorithms accepted today.
    9. It keeps the rules that the document sets for its signatures.

    Raises:
        InvalidRequestError: the file is not a readable PDF, or a certificate is not one.
    """
    reader, sound = _open(pdf)
    for certificate in (*trust_roots, *other_certificates):
        parse_certificate(certificate)
    try:
        found = list(enumerate_sig_fields(reader, filled_status=True))
        fields = [(name, field) for name, value, field in found if not _is_stamp(value)]
    except PARSER_ERRORS as error:
        raise damaged() from error
    checker = Checker(pdf, reader, sound, Trust(trust_roots, other_certificates, now))
    reports = [_report(checker, name, field) for name, field in fields]
    return sorted(reports, key=lambda r: r.coverage.revision if r.coverage else 0)


def _open(pdf: bytes) -> tuple[PdfFileReader, bool]:
    """Open a PDF; say whether it keeps to the standard so far that later revisions can be judged.

    Some programs (Poppler's `pdfsig` is one) make slightly wrong files when they sign.
    """
    try:
        return open_pdf(pdf), True
    except InvalidRequestError:
        return open_pdf(pdf, strict=False), False


def _is_stamp(value: PdfObject) -> bool:
    signature = value.get_object()  # type: ignore[no-untyped-call]  # pyHanko's
    return isinstance(signature, DictionaryObject) and signature.get("/Type") == "/DocTimeStamp"


def _report(checker: Checker, name: str, field: DictionaryObject) -> SignatureReport:
    """Verify one signature; nothing but the last line makes a `ValidSignature`."""
    try:
        signature = EmbeddedPdfSignature(checker.reader, field, name)  # 1
        certificate = x509.load_der_x509_certificate(signature.signer_cert.dump())
        signer = _signer(certificate)
        claimed_at = _claimed_at(signature)
    except PARSER_ERRORS:
        reason = "the signature cannot be read"
        return InvalidSignature(name, None, None, None, "unreadable", reason)
    coverage: Coverage | None = None
    try:
        coverage = checker.check_coverage(signature)  # 1, 2
        status = checker.status(signature)
        checker.check_document(status, coverage)  # 3 to 6
        checker.check_signer(status, certificate, claimed_at)  # 7 to 9
    except RefusedError as refused:
        return InvalidSignature(name, signer, claimed_at, coverage, refused.problem, str(refused))
    return ValidSignature(name, signer, claimed_at, coverage)


def _signer(certificate: x509.Certificate) -> Signer:
    issuer = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Signer(
        common_name=common_name(certificate),
        tax_number=tax_number(certificate),
        issuer=str(issuer[0].value) if len(issuer) == 1 else None,
        certificate_sha256=certificate.fingerprint(hashes.SHA256()).hex(),
    )


def _claimed_at(signature: EmbeddedPdfSignature) -> datetime | None:
    claimed = signature.self_reported_timestamp
    # Without a zone nobody knows which moment it means.
    return claimed if claimed is not None and claimed.tzinfo is not None else None
