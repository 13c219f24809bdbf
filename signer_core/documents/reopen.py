"""Taking the newest signature of a PDF, or a CMS, apart again, to add a timestamp to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asn1crypto import cms

from signer_core.documents.prepare import PreparedPdf
from signer_core.errors import InvalidRequestError
from signer_core.protocol.to_be_signed import byte_range_digest, find_signature_gap


@dataclass(frozen=True, slots=True)
class CmsParts:
    """What a CMS of level B-B is made of."""

    attributes: bytes  # SET OF Attribute, DER
    signature: bytes  # ECDSA, DER
    certificate_chain: Sequence[bytes]  # DER, the signer's first


def reopen_pdf(pdf: bytes) -> tuple[PreparedPdf, CmsParts]:
    """Return a PDF whose last signature covers it to its end, as it was before `finish_pdf`.

    Raises:
        InvalidRequestError: it has no such signature, or one that is not of level B-B.
    """
    prepared = PreparedPdf(pdf, byte_range_digest(pdf), find_signature_gap(pdf))
    return prepared, reopen_cms(_contents(prepared))


def chains_of(pdf: bytes) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Return the certificates (DER) of a PDF's last signature and of its timestamp, leaf first.

    Raises:
        InvalidRequestError: it has no such signature, or that one has no timestamp.
    """
    prepared = PreparedPdf(pdf, byte_range_digest(pdf), find_signature_gap(pdf))
    try:
        signed = cms.ContentInfo.load(_contents(prepared))["content"]
        (signer,) = signed["signer_infos"]
        (attribute,) = signer["unsigned_attrs"]
        (token,) = attribute["values"]
        (stamper,) = token["content"]["signer_infos"]
        return _chain(signed, signer), _chain(token["content"], stamper)
    except (ValueError, TypeError, AttributeError, LookupError):
        raise InvalidRequestError("the signature of the PDF has no timestamp") from None


def _contents(prepared: PreparedPdf) -> bytes:
    gap = prepared.gap
    try:
        return bytes.fromhex(prepared.pdf[gap.start + 1 : gap.end - 1].decode("ascii"))
    except ValueError:
        raise InvalidRequestError("the signature of the PDF cannot be read") from None


def _chain(signed: Any, signer: Any) -> tuple[bytes, ...]:
    serial = signer["sid"].chosen["serial_number"].native
    certificates = [one.chosen for one in signed["certificates"]]
    ordered = sorted(certificates, key=lambda one: one.serial_number != serial)
    return tuple(one.dump() for one in ordered)


def reopen_cms(contents: bytes) -> CmsParts:
    """Take a CMS (DER, zeros may follow) of ours apart.

    Raises:
        InvalidRequestError: it is not one, has several signers, or a timestamp already.
    """
    try:
        signed = cms.ContentInfo.load(contents)["content"]
        (signer,) = signed["signer_infos"]
        bare = not signer["unsigned_attrs"]
        attributes = signer["signed_attrs"].untag().dump()
        parts = CmsParts(attributes, signer["signature"].native, _chain(signed, signer))
    # What asn1crypto raises on a type it did not expect depends on where it meets it.
    except (ValueError, TypeError, AttributeError, LookupError):
        raise InvalidRequestError("the signature cannot be read") from None
    if not bare:
        raise InvalidRequestError("the signature has a timestamp already")
    return parts
