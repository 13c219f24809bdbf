"""Who is an officer, and what each role may do."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from signer_core.errors import InvalidRequestError

_ID: Final = re.compile(r"[a-z][a-z0-9-]{1,31}")
_TICKET: Final = re.compile(r"[A-Za-z0-9._:/@+-]{0,64}")


class Role(StrEnum):
    """What an officer may do: an auditor reads, an officer also changes."""

    OFFICER = "officer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class OfficerClaim:
    """Who the caller's certificate says it is; only the vault's table makes it an `Officer`."""

    officer_id: str
    key_hash: bytes  # 32 bytes, SHA-256 of the certificate's SubjectPublicKeyInfo


@dataclass(frozen=True, slots=True)
class Officer:
    """One row of the vault's table."""

    officer_id: str
    role: Role
    key_hash: bytes  # 32 bytes
    active: bool
    changed_at_s: int  # Unix time
    serial: bytes = b""  # of the certificate, big-endian, without leading zeros


class Reason(StrEnum):
    """Why an officer changes something: a word, since it stays in the audit log for ever.

    A free text would end up with names in it. What else there is to say is in the ticket.
    """

    KEY_COMPROMISE = "key-compromise"
    PHONE_LOST = "phone-lost"
    PERSON_DIED = "person-died"
    COURT_ORDER = "court-order"
    WRONG_IDENTITY = "wrong-identity"
    OWNER_ASKED = "owner-asked"
    STAFF_CHANGE = "staff-change"
    SCHEDULED = "scheduled"
    DRILL = "drill"


@dataclass(frozen=True, slots=True)
class Grounds:
    """What an officer gives for a change."""

    reason: Reason
    ticket: str = ""  # reference into another system, at most 64 characters, no spaces

    def __post_init__(self) -> None:
        if not _TICKET.fullmatch(self.ticket):
            raise InvalidRequestError("a ticket is at most 64 letters, digits and ._:/@+-")


def check_officer_id(officer_id: str) -> None:
    """Check the form of an id: it stands in certificates, events and file names.

    Raises:
        InvalidRequestError: it is not 2 to 32 small letters, digits and hyphens, a letter first.
    """
    if not _ID.fullmatch(officer_id):
        raise InvalidRequestError("an officer's id is 2 to 32 of a-z, 0-9 and -, a letter first")
