"""What a verifier will need in years, put into the PDF now: PAdES B-LT (EN 319 142-1 §5.4.2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

from asn1crypto import crl, ocsp, x509
from pyhanko.sign.validation.dss import DocumentSecurityStore

from signer_core.documents.reading import PARSER_ERRORS, damaged, open_for_update, open_pdf


@dataclass(frozen=True, slots=True)
class Evidence:
    """That certificates were good at a time: their chains, and who said so. All DER."""

    certificates: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()

    @classmethod
    def join(cls, parts: Iterable["Evidence"]) -> "Evidence":
        """Put several together, each thing once."""
        every = list(parts)
        return cls(
            tuple(dict.fromkeys(one for part in every for one in part.certificates)),
            tuple(dict.fromkeys(one for part in every for one in part.ocsp_responses)),
            tuple(dict.fromkeys(one for part in every for one in part.crls)),
        )


def add_evidence(pdf: bytes, evidence: Evidence) -> bytes:
    """Append a document security store, or to the one that is there.

    The signatures before it stay valid: a store changes nothing that they sign.

    Raises:
        InvalidRequestError: the PDF is damaged.
    """
    reader = open_pdf(pdf)
    writer = open_for_update(pdf, strict=reader.strict)
    output = BytesIO()
    try:
        DocumentSecurityStore.supply_dss_in_writer(
            writer,
            None,  # no VRI: EN 319 142-1 §5.4.2.3 advises against it
            certs=[x509.Certificate.load(der) for der in evidence.certificates],
            ocsps=[ocsp.OCSPResponse.load(der) for der in evidence.ocsp_responses],
            crls=[crl.CertificateList.load(der) for der in evidence.crls],
        )
        writer.write(output)  # type: ignore[no-untyped-call]  # pyHanko's
    except PARSER_ERRORS as error:
        raise damaged() from error
    return output.getvalue()
