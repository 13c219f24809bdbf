"""What a certificate is worth: the words of CRLs and OCSP answers (RFC 5280 §5.3.1)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Status of a certificate. It only gets worse: good, suspended, revoked."""

    GOOD = "good"
    SUSPENDED = "suspended"  # certificateHold; in this system nobody lifts it
    REVOKED = "revoked"


class Reason(StrEnum):
    """Why a certificate is not good any more."""

    NONE = ""  # of a good one
    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key-compromise"
    AFFILIATION_CHANGED = "affiliation-changed"
    SUPERSEDED = "superseded"
    CESSATION = "cessation-of-operation"
    HOLD = "certificate-hold"
    PRIVILEGE_WITHDRAWN = "privilege-withdrawn"


REASON_CODES: Final = {
    Reason.KEY_COMPROMISE: 1,
    Reason.AFFILIATION_CHANGED: 3,
    Reason.SUPERSEDED: 4,
    Reason.CESSATION: 5,
    Reason.HOLD: 6,
    Reason.PRIVILEGE_WITHDRAWN: 9,
}
"""CRLReason; unspecified is said by saying nothing (RFC 5280 §5.3.1)."""


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """A status since a time."""

    status: Status
    reason: Reason = Reason.NONE
    changed_at_s: int = 0  # Unix time
