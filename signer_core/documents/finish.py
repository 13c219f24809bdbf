"""Second half of an interrupted signature: the CMS goes into the gap."""

from collections.abc import Sequence

from signer_core.documents.certificates import parse_certificate
from signer_core.documents.cms import assemble_cms, verify_parts
from signer_core.documents.prepare import PreparedPdf
from signer_core.errors import InvalidRequestError
from signer_core.protocol.to_be_signed import SignatureGap, find_signature_gap


def finish_pdf(
    prepared: PreparedPdf,
    *,
    signed_attributes: bytes,
    signature: bytes,
    certificate_chain: Sequence[bytes],
    timestamp: bytes | None = None,
) -> bytes:
    """Return the signed PDF: `finished_cms` in the gap; takes and raises the same."""
    cms = finished_cms(
        prepared,
        signed_attributes=signed_attributes,
        signature=signature,
        certificate_chain=certificate_chain,
        timestamp=timestamp,
    )
    return _filled(prepared.pdf, prepared.gap, cms)


def finished_cms(
    prepared: PreparedPdf,
    *,
    signed_attributes: bytes,
    signature: bytes,
    certificate_chain: Sequence[bytes],
    timestamp: bytes | None = None,
) -> bytes:
    """Return the CMS that `fill_gap` puts into the PDF; never one that does not verify.

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
    if len(cms) > prepared.gap.capacity_bytes:
        raise InvalidRequestError("the certificates do not fit into the PDF: send fewer")
    return cms


def finish_document_timestamp(prepared: PreparedPdf, timestamp: bytes) -> bytes:
    """Return the PDF with the TimeStampToken (DER) of its `file_hash`, once verified.

    Raises:
        InvalidRequestError: it does not fit.
    """
    if len(timestamp) > prepared.gap.capacity_bytes:
        raise InvalidRequestError("the timestamp is too large for the PDF")
    return _filled(prepared.pdf, prepared.gap, timestamp)


def fill_gap(pdf: bytes, cms: bytes) -> bytes:
    """Put a CMS that fits into the gap of a prepared PDF, as hexadecimal digits and zeros."""
    return _filled(pdf, find_signature_gap(pdf), cms)


def _filled(pdf: bytes, gap: SignatureGap, cms: bytes) -> bytes:
    digits = cms.hex().upper().encode().ljust(2 * gap.capacity_bytes, b"0")
    return b"".join((pdf[: gap.start + 1], digits, pdf[gap.end - 1 :]))
