"""The steps of `verify_pdf` for one signature; each returns, or refuses with the problem."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, TypeVar, cast

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESIndeterminate, AdESSubIndic
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.validation.pdf_embedded import (
    EmbeddedPdfSignature,
    async_validate_pdf_signature,
)
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from signer_core.documents.reading import PARSER_ERRORS, is_hybrid_after
from signer_core.documents.report import Coverage, Problem
from signer_core.errors import InvalidRequestError
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


class RefusedError(Exception):
    """One signature fails at one step; ends in its report, never outside this package."""

    def __init__(self, problem: Problem, reason: str) -> None:
        super().__init__(reason)
        self.problem: Problem = problem


@dataclass(frozen=True, slots=True)
class Trust:
    """What is trusted, and when."""

    roots: Sequence[bytes]
    others: Sequence[bytes]
    now: datetime

    def context(self) -> ValidationContext:
        """Return pyHanko's form of it; nothing is ever fetched."""
        return ValidationContext(
            trust_roots=[asn1_x509.Certificate.load(der) for der in self.roots],
            other_certs=[asn1_x509.Certificate.load(der) for der in self.others],
            moment=self.now,
            allow_fetching=False,
        )


@dataclass(frozen=True, slots=True)
class Checker:
    """One file, and what is trusted."""

    pdf: bytes
    reader: PdfFileReader
    sound: bool  # read strictly
    trust: Trust

    def check_coverage(self, signature: EmbeddedPdfSignature) -> Coverage:
        """Steps 1 and 2: a known kind, and nothing left out but the signature itself."""
        if signature.sig_object.get("/SubFilter") not in _SUBFILTERS:  # 1
            _refuse("unsupported", "this kind of signature is not verified here")
        try:
            first, before, after, rest = (int(number) for number in signature.byte_range)
            gap = find_signature_gap(self.pdf[: after + rest])  # 2
            contents = bytes.fromhex(self.pdf[gap.start + 1 : gap.end - 1].decode("ascii"))
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
            revisions=self.reader.xrefs.total_revisions,
            whole_file=after + rest == len(self.pdf),
        )

    def status(self, signature: EmbeddedPdfSignature) -> PdfSignatureStatus:
        """Let pyHanko judge; it raises where a signature breaks the rules of CMS."""
        try:
            return _run(async_validate_pdf_signature(signature, self.trust.context()))
        except PARSER_ERRORS:
            _refuse("wrong_signature", "the signature breaks the rules of its format")

    def check_document(self, status: PdfSignatureStatus, coverage: Coverage) -> None:
        """Steps 3 to 6: the document is the one that was signed."""
        if not status.intact:  # 3
            _refuse("changed", "the document was changed: it is not what was signed")
        if not status.valid:  # 4
            _refuse("wrong_signature", "the signature does not belong to its certificate")
        alike = self.sound and not is_hybrid_after(self.reader, coverage.revision)
        if not (coverage.whole_file or alike):  # 5
            _refuse("ambiguous", "what was added after signing is damaged and cannot be judged")
        if not status.docmdp_ok:  # 6
            _refuse("modified_after_signing", "the document was modified after it was signed")

    def check_signer(
        self,
        status: PdfSignatureStatus,
        certificate: x509.Certificate,
        claimed_at: datetime | None,
    ) -> None:
        """Steps 7 to 9: the signer may be believed."""
        if claimed_at is not None:  # 7
            _check_time(certificate, claimed_at, self.trust.now)
        if not status.trusted:  # 8
            _refuse(*_TRUST_PROBLEMS.get(status.trust_problem_indic, _UNTRUSTED))
        if not status.bottom_line:  # 9
            _refuse("breaks_a_rule", "it breaks a rule that the document sets for signatures")


def _check_time(certificate: x509.Certificate, claimed_at: datetime, now: datetime) -> None:
    if claimed_at > now + _CLOCK_TOLERANCE:
        _refuse("signed_in_future", "it claims to be made at a time that has not come yet")
    if not certificate.not_valid_before_utc <= claimed_at <= certificate.not_valid_after_utc:
        _refuse("not_valid_at_signing", "the certificate was not valid when it signed")


def _refuse(problem: Problem, reason: str) -> NoReturn:
    raise RefusedError(problem, reason)


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
