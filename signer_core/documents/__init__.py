"""Signing, sealing and verifying documents: PAdES, detached CAdES. Pure; alone imports pyHanko.

A signature is made in two halves, with the key somewhere else in between::

    prepared = prepare_pdf(pdf, signer_certificate=certificate, signed_at=now)
    attributes = signed_attributes(prepared.file_hash, certificate)
    ...                                # the two-party protocol signs SHA-256 of `attributes`
    signed = finish_pdf(prepared, signed_attributes=attributes, signature=..., ...)
"""

from signer_core.documents.appearance import Appearance
from signer_core.documents.cms import signed_attributes
from signer_core.documents.detached import detached_attributes, finish_detached
from signer_core.documents.finish import (
    fill_gap,
    finish_document_timestamp,
    finish_pdf,
    finished_cms,
)
from signer_core.documents.finished import verify_finished
from signer_core.documents.long_term import Evidence, add_evidence
from signer_core.documents.original import original_of
from signer_core.documents.prepare import (
    ROOM_BYTES,
    ROOM_FOR_TIMESTAMP_BYTES,
    PreparedPdf,
    prepare_document_timestamp,
    prepare_pdf,
    prepare_seal,
)
from signer_core.documents.reading import MAX_PDF_BYTES
from signer_core.documents.reopen import CmsParts, chains_of, reopen_cms, reopen_pdf
from signer_core.documents.report import (
    Coverage,
    InvalidSignature,
    Problem,
    SignatureReport,
    Signer,
    ValidSignature,
)
from signer_core.documents.seal_stamp import SealStamp
from signer_core.documents.timestamps import verify_timestamp
from signer_core.documents.verify import verify_pdf

__all__ = [
    "MAX_PDF_BYTES",
    "ROOM_BYTES",
    "ROOM_FOR_TIMESTAMP_BYTES",
    "Appearance",
    "CmsParts",
    "Coverage",
    "Evidence",
    "InvalidSignature",
    "PreparedPdf",
    "Problem",
    "SealStamp",
    "SignatureReport",
    "Signer",
    "ValidSignature",
    "add_evidence",
    "chains_of",
    "detached_attributes",
    "fill_gap",
    "finish_detached",
    "finish_document_timestamp",
    "finish_pdf",
    "finished_cms",
    "original_of",
    "prepare_document_timestamp",
    "prepare_pdf",
    "prepare_seal",
    "reopen_cms",
    "reopen_pdf",
    "signed_attributes",
    "verify_finished",
    "verify_pdf",
    "verify_timestamp",
]
