"""Second half of an interrupted signature: the CMS goes into the gap."""

from collections.abc import Sequence

from signer_core.documents.certificates import parse_certificate
from signer_core.documents.cms import assemble_cms, verify_parts
from signer_core.documents.prepare import PreparedPdf
from signer_core.errors import InvalidRequestError


def finish_pdf(
    prepared: PreparedPdf,
    *,
    signed_attributes: bytes,
    signature: bytes,
    certificate_chain: Sequence[bytes],
    timestamp: bytes | None = None,
) -> bytes:
    """Return the signed PDF; a signature that does not verify never gets into one.

    `signed_attributes`: what `documents.signed_attributes` made. `signature`: ECDSA, DER.
    `certificate_chain`: DER, the signer's first, then the CAs' without the root. `timestamp`: a
    TimeStampToken (DER) of the signature that `verify_timestamp` accepted, for level B-T.

    Raises:
        VerificationError: the parts do not belong together, or the signature is wrong.
        InvalidRequestError: no certificate, an unreadable one, or too many for the room kept.
    """
    if not certificate_chain:
        raise InvalidRequestError("the signer's certificate is missing")
    for certificate in certificate_chain:
        parse_certificate(certificate)
    attributes = verify_parts(
        signed_attributes,
        signature,
        file_hash=prepared.file_hash,
        certificate=certificate_chain[0],
    )
    cms = assemble_cms(attributes, signature, certificate_chain, timestamp)
    return fill_gap(prepared, cms, "the certificates do not fit into the PDF: send fewer")


def finish_document_timestamp(prepared: PreparedPdf, timestamp: bytes) -> bytes:
    """Return the PDF with the TimeStampToken (DER) of its `file_hash`, once verified.

    Raises:
        InvalidRequestError: it does not fit.
    """
    return fill_gap(prepared, timestamp, "the timestamp is too large for the PDF")


def fill_gap(prepared: PreparedPdf, cms: bytes, too_large: str) -> bytes:
    """Put a CMS into the gap, as hexadecimal digits and zeros.

    Raises:
        InvalidRequestError: it does not fit; the message is `too_large`.
    """
    gap = prepared.gap
    if len(cms) > gap.capacity_bytes:
        raise InvalidRequestError(too_large)
    digits = cms.hex().upper().encode().ljust(2 * gap.capacity_bytes, b"0")
    return b"".join((prepared.pdf[: gap.start + 1], digits, prepared.pdf[gap.end - 1 :]))
