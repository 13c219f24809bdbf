"""What the registrar needs of the world: who a person is, and whether a photo is theirs."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

from signer_core.pki.subject import Subject


@dataclass(frozen=True, slots=True)
class Person:
    """An identified person, holder of an ID card or a biometric passport."""

    person_id: str  # the provider's, stable
    country: str  # ISO 3166-1 alpha-2
    birth_date: date = field(repr=False)
    subject: Subject = field(repr=False)


class Occasion(StrEnum):
    """What a photo is checked for."""

    ENROLMENT = "enrolment"
    SIGNING = "signing"


class IdentityProvider(Protocol):
    """Knows people and the state of their documents."""

    async def identify(self, person_id: str) -> Person:
        """Return a person who may enrol now.

        Raises:
            DeniedError: the person refused, is blocked, or holds no fit document.
            NotFoundError: no such person.
            UnavailableError: the provider does not answer.
        """
        ...


class PhotoCheck(Protocol):
    """Compares a photo with the one of a person's document."""

    async def verify_photo(self, person_id: str, occasion: Occasion, photo: bytes) -> None:
        """Check that the photo shows the person, alive.

        Raises:
            DeniedError: it does not.
            UnavailableError: the check does not answer.
        """
        ...
