"""The made-up people, and an identity provider and photo check that know only them."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from signer_core.errors import DeniedError, NotFoundError, SignerError, UnavailableError
from signer_core.identity.ports import Occasion, Person
from signer_core.pki.subject import Subject

Behaviour = Literal[
    "approves",
    "refuses",
    "times-out",
    "photo-fails-at-enrolment",
    "photo-fails-at-signing",
    "blocked",
    "revoked",
    "booklet",
]
OUTCOMES: Final[Mapping[Behaviour, str]] = {
    "approves": "enrols and signs",
    "refuses": "refuses to be identified: no enrolment",
    "times-out": "the identity provider does not answer: no enrolment, try again later",
    "photo-fails-at-enrolment": "the photo does not match: no enrolment",
    "photo-fails-at-signing": "enrols; the photo does not match when signing",
    "blocked": "the identity provider has blocked the person: no enrolment",
    "revoked": "the identity document is revoked: no enrolment",
    "booklet": "holds only a paper passport booklet: no enrolment",
}
_ERRORS: Final[Mapping[Behaviour, Callable[[], SignerError]]] = {
    "refuses": lambda: DeniedError("the person refused to be identified"),
    "times-out": lambda: UnavailableError("the identity provider does not answer"),
    "blocked": lambda: DeniedError("the person is blocked at the identity provider"),
    "revoked": lambda: DeniedError("the identity document is revoked"),
    "booklet": lambda: DeniedError("enrolling needs an ID card or a biometric passport"),
}
_PHOTO_FAILS: Final[Mapping[Occasion, Behaviour]] = {
    Occasion.ENROLMENT: "photo-fails-at-enrolment",
    Occasion.SIGNING: "photo-fails-at-signing",
}


class SandboxPerson(BaseModel):
    """One entry of people.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: str
    surname: str
    given_name: str
    patronymic: str
    surname_latin: str
    given_name_latin: str
    sex: Literal["female", "male"]
    birth_date: date
    rnokpp: str  # 10 digits
    unzr: str  # birth date, a hyphen, 5 digits
    document: Literal["id-card", "biometric-passport", "booklet"]
    behaviour: Behaviour

    @property
    def full_name(self) -> str:
        """Surname, given name, patronymic, in Ukrainian."""
        return f"{self.surname} {self.given_name} {self.patronymic}"

    @property
    def full_name_latin(self) -> str:
        """Given name and surname, as in a passport."""
        return f"{self.given_name_latin} {self.surname_latin}"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    people: tuple[SandboxPerson, ...]


def load_people() -> Mapping[str, SandboxPerson]:
    """Return all made-up people by their id."""
    text = resources.files(__package__).joinpath("people.toml").read_text(encoding="utf-8")
    return {one.person_id: one for one in _File.model_validate(tomllib.loads(text)).people}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Identity provider and photo check of the made-up people."""

    people: Mapping[str, SandboxPerson]

    async def identify(self, person_id: str) -> Person:
        """See `IdentityProvider.identify`."""
        found = self.find(person_id)
        if found.behaviour in _ERRORS:
            raise _ERRORS[found.behaviour]()
        return Person(
            person_id=found.person_id,
            country="UA",
            birth_date=found.birth_date,
            subject=Subject(
                common_name=found.full_name,
                surname=found.surname,
                given_name=f"{found.given_name} {found.patronymic}",
                rnokpp=found.rnokpp,
                unzr=found.unzr,
            ),
        )

    async def verify_photo(self, person_id: str, occasion: Occasion, photo: bytes) -> None:  # noqa: ARG002  a made-up person matches any picture
        """See `PhotoCheck.verify_photo`."""
        if self.find(person_id).behaviour == _PHOTO_FAILS[occasion]:
            raise DeniedError("the photo does not match")

    def find(self, person_id: str) -> SandboxPerson:
        """Return one of them, whatever happens to them.

        Raises:
            NotFoundError: no such person.
        """
        if person_id not in self.people:
            raise NotFoundError("no such person in the sandbox")
        return self.people[person_id]
