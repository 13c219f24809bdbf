"""What verifying a PDF says about each signature, for people and machines.

Two types, so that nobody mistakes one for the other: only `verify_pdf` makes a `ValidSignature`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Problem = Literal[
    "unreadable",  # the signature itself cannot be parsed
    "unsupported",  # of a kind that is not verified here
    "coverage",  # covers not a whole revision of the file
    "changed",  # the covered bytes are not what was signed
    "wrong_signature",  # the signature does not verify under the certificate
    "weak_algorithm",  # an algorithm that is no longer accepted
    "ambiguous",  # programs may read differently what was appended later
    "modified_after_signing",  # a later revision changed what the signature protects
    "signed_in_future",  # claims a time that has not come
    "not_valid_at_signing",  # the certificate was not valid at the claimed time
    "expired",  # the certificate is expired, and no timestamp proves that it was not
    "untrusted",  # the certificate does not chain to a trusted root
    "not_for_signing",  # the certificate is not for signatures of documents
    "breaks_a_rule",  # of the document, which restricts who or how may sign
]


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose certificate is in a signature. Of an invalid signature this is only a claim."""

    common_name: str | None
    tax_number: str | None  # RNOKPP, 10 digits, of a citizen
    issuer: str | None  # common name of the CA
    certificate_sha256: str  # 64 hexadecimal digits


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which part of the file a signature covers."""

    revision: int  # counted from 1
    revisions: int  # in the whole file
    whole_file: bool  # nothing, not even a byte, was appended after signing


@dataclass(frozen=True, slots=True)
class ValidSignature:
    """A signature that passed every step of `verify_pdf`."""

    field: str
    signer: Signer
    claimed_at: datetime | None  # by the signer's side; no timestamp authority confirms it
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class InvalidSignature:
    """A signature not to be trusted: `problem` for machines, `reason` for people."""

    field: str
    signer: Signer | None
    claimed_at: datetime | None
    coverage: Coverage | None
    problem: Problem
    reason: str  # one sentence


SignatureReport = ValidSignature | InvalidSignature
