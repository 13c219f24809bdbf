"""Verifying the signatures of a PDF: one report for each, valid or why not.

Revocation is not checked yet; a valid report does not say that the certificate was not revoked.
"""

from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, TypeVar, cast

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.generic import DictionaryObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate, AdESSubIndic
from pyhanko.sign.fields import SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.validation.pdf_embedded import (
    EmbeddedPdfSignature,
    async_validate_pdf_signature,
)
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from signer_core.documents.certificates import common_name, parse_certificate, tax_number
from signer_core.documents.reading import PARSER_ERRORS, damaged, open_pdf
from signer_core.documents.report import (
    Coverage,
    InvalidSignature,
    Problem,
    SignatureReport,
    Signer,
    ValidSignature,
)
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.protocol.to_be_signed import find_signature_gap

_T = TypeVar("_T")

_CLOCK_TOLERANCE: Final = timedelta(minutes=5)
_SUBFILTERS: Final = {SigSeedSubFilter.PADES.value, SigSeedSubFilter.ADOBE_PKCS7_DETACHED.value}

_TRUST_PROBLEMS: Final[dict[AdESSubIndic | None, tuple[Problem, str]]] = {
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE: (
        "expired",
        "the certificate is not valid now, and no timestamp proves that it was when it signed",
    ),
    AdESIndeterminate.CHAIN_CONSTRAINTS_FAILURE: (
        "not_for_signing",
        "the certificate is not one for signing documents",
    ),
    AdESIndeterminate.CRYPTO_CONSTRAINTS_FAILURE: (
        "weak_algorithm",
        "it uses an algorithm that is no longer accepted",
    ),
}
_UNTRUSTED: Final[tuple[Problem, str]] = (
    "untrusted",
    "the certificate does not come from a trusted authority",
)


class _RefusedError(VerificationError):
    """One signature fails at one step."""

    def __init__(self, problem: Problem, reason: str) -> None:
        super().__init__(reason)
        self.problem: Problem = problem


def verify_pdf(
    pdf: bytes,
    *,
    trust_roots: Sequence[bytes],
    other_certificates: Sequence[bytes] = (),
    now: datetime,
) -> list[SignatureReport]:
    """Verify each signature of a PDF, in the order of signing; no signature, no report.

    Certificates are DER; `other_certificates` may help to build a chain and are not trusted. For
    each signature, the first step that fails is reported:

    1. It can be read, and is of a kind known here.
    2. It covers everything up to the end of its revision but itself.
    3. The covered bytes are those that were signed.
    4. The signature verifies under the certificate in it, with algorithms accepted today.
    5. What was appended later does not change what was signed.
    6. The claimed time is not to come, and the certificate was valid then.
    7. The certificate is for signing documents and chains to a trusted root, now.
    8. It keeps the rules that the document sets for its signatures.

    Raises:
        InvalidRequestError: the file is not a readable PDF, or a certificate is not one.
    """
    reader = open_pdf(pdf)
    for certificate in (*trust_roots, *other_certificates):
        parse_certificate(certificate)
    try:
        fields = list(enumerate_sig_fields(reader, filled_status=True))
    except PARSER_ERRORS as error:
        raise damaged() from error
    checker = _Checker(pdf, reader, trust_roots, other_certificates, now)
    reports = [checker.report(name, field) for name, _, field in fields]
    return sorted(reports, key=lambda r: r.coverage.revision if r.coverage else 0)


class _Checker:
    """One file, with what is trusted and when."""

    def __init__(
        self,
        pdf: bytes,
        reader: PdfFileReader,
        trust_roots: Sequence[bytes],
        other_certificates: Sequence[bytes],
        now: datetime,
    ) -> None:
        self._pdf = pdf
        self._reader = reader
        self._trust_roots = trust_roots
        self._other_certificates = other_certificates
        self._now = now

    def report(self, name: str, field: DictionaryObject) -> SignatureReport:
        """Verify one signature; nothing but an orderly end of it makes a `ValidSignature`."""
        try:
            signature = EmbeddedPdfSignature(self._reader, field, name)  # 1
            certificate = x509.load_der_x509_certificate(signature.signer_cert.dump())
            signer = _signer(certificate)
            claimed_at = _claimed_at(signature)
        except PARSER_ERRORS:
            return InvalidSignature(
                name, None, None, None, "unreadable", "the signature cannot be read"
            )
        coverage: Coverage | None = None
        try:
            coverage = self._check_coverage(signature)
            self._verify(signature, certificate, claimed_at)
        except _RefusedError as refused:
            return InvalidSignature(
                name, signer, claimed_at, coverage, refused.problem, str(refused)
            )
        return ValidSignature(name, signer, claimed_at, coverage)

    def _check_coverage(self, signature: EmbeddedPdfSignature) -> Coverage:
        if signature.sig_object.get("/SubFilter") not in _SUBFILTERS:  # 1
            _refuse("unsupported", "this kind of signature is not verified here")
        try:
            first, before, after, rest = (int(number) for number in signature.byte_range)
            end = after + rest
            gap = find_signature_gap(self._pdf[:end])  # 2
            contents = bytes.fromhex(self._pdf[gap.start + 1 : gap.end - 1].decode("ascii"))
            level = signature.evaluate_signature_coverage()
        except (InvalidRequestError, *PARSER_ERRORS):
            _refuse("coverage", "it does not cover all of the document")
        # The string left out has to be this signature, else something unsigned hides there.
        if (first, before, after) != (0, gap.start, gap.end) or contents != signature.pkcs7_content:
            _refuse("coverage", "it leaves out more of the document than itself")
        if level < SignatureCoverageLevel.ENTIRE_REVISION:
            _refuse("coverage", "it does not cover all of the document")
        return Coverage(
            revision=signature.signed_revision + 1,
            revisions=self._reader.xrefs.total_revisions,
            whole_file=end == len(self._pdf),
        )

    def _verify(
        self,
        signature: EmbeddedPdfSignature,
        certificate: x509.Certificate,
        claimed_at: datetime | None,
    ) -> None:
        status = self._status(signature)
        if not status.intact:  # 3
            _refuse("changed", "the document was changed: it is not what was signed")
        if not status.valid:  # 4
            _refuse("wrong_signature", "the signature does not belong to its certificate")
        if not status.docmdp_ok:  # 5
            _refuse("modified_after_signing", "the document was modified after it was signed")
        _check_time(certificate, claimed_at, self._now)  # 6
        if not status.trusted:  # 7
            _refuse(*_TRUST_PROBLEMS.get(status.trust_problem_indic, _UNTRUSTED))
        if not status.bottom_line:  # 8
            _refuse("breaks_a_rule", "it breaks a rule that the document sets for signatures")

    def _status(self, signature: EmbeddedPdfSignature) -> PdfSignatureStatus:
        context = ValidationContext(
            trust_roots=[asn1_x509.Certificate.load(der) for der in self._trust_roots],
            other_certs=[asn1_x509.Certificate.load(der) for der in self._other_certificates],
            moment=self._now,
            allow_fetching=False,
        )
        try:
            return _run(async_validate_pdf_signature(signature, context))
        except PARSER_ERRORS:
            _refuse("wrong_signature", "the signature breaks the rules of its format")


def _check_time(certificate: x509.Certificate, claimed_at: datetime | None, now: datetime) -> None:
    if claimed_at is None:
        return
    if claimed_at > now + _CLOCK_TOLERANCE:
        _refuse("signed_in_future", "it claims to be made at a time that has not come yet")
    if not certificate.not_valid_before_utc <= claimed_at <= certificate.not_valid_after_utc:
        _refuse("not_valid_at_signing", "the certificate was not valid when it signed")


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


def _refuse(problem: Problem, reason: str) -> NoReturn:
    raise _RefusedError(problem, reason)


def _run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that waits for nothing, as pyHanko's does when fetching is off.

    No event loop: callers may well be inside one.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return cast(_T, end.value)
    coroutine.close()
    raise NotImplementedError("validation wanted to wait")
