"""Signing and verifying documents: PAdES B-B in PDF. Pure; the only importer of pyHanko.

A signature is made in two halves, with the key somewhere else in between::

    prepared = prepare_pdf(pdf, signer_certificate=certificate, signed_at=now)
    attributes = signed_attributes(prepared.file_hash, certificate)
    ...                                # the two-party protocol signs SHA-256 of `attributes`
    signed = finish_pdf(prepared, signed_attributes=attributes, signature=..., ...)
"""

from signer_core.documents.appearance import Appearance
from signer_core.documents.cms import signed_attributes
from signer_core.documents.finish import finish_pdf
from signer_core.documents.prepare import PreparedPdf, prepare_pdf
from signer_core.documents.reading import MAX_PDF_BYTES
from signer_core.documents.report import (
    Coverage,
    InvalidSignature,
    Problem,
    SignatureReport,
    Signer,
    ValidSignature,
)
from signer_core.documents.verify import verify_pdf

__all__ = [
    "MAX_PDF_BYTES",
    "Appearance",
    "Coverage",
    "InvalidSignature",
    "PreparedPdf",
    "Problem",
    "SignatureReport",
    "Signer",
    "ValidSignature",
    "finish_pdf",
    "prepare_pdf",
    "signed_attributes",
    "verify_pdf",
]
