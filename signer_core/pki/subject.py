"""Whom a citizen's certificate names."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from signer_core.errors import InvalidRequestError
from signer_core.pki.country import CountryProfile

_MAX_NAME_LENGTH = 64  # characters, ub-common-name of RFC 5280 appendix A


@dataclass(frozen=True, slots=True)
class Subject:
    """A person as the enrolment authorisation names them; the birth date is not among it."""

    common_name: str
    surname: str
    given_name: str  # with the patronymic, where there is one
    rnokpp: str
    unzr: str


def check_subject(subject: Subject, country: CountryProfile) -> None:
    """Check names and numbers.

    Raises:
        InvalidRequestError: a name is empty, longer than 64 characters or not printable, or a
            number is not of the country's form.
    """
    for name in (subject.common_name, subject.surname, subject.given_name):
        if not 0 < len(name) <= _MAX_NAME_LENGTH or not name.isprintable() or name != name.strip():
            raise InvalidRequestError("a name is 1 to 64 printable characters")
    country.rnokpp.check(subject.rnokpp, "RNOKPP")
    country.unzr.check(subject.unzr, "UNZR")


def subject_name(subject: Subject, country: CountryProfile) -> x509.Name:
    """Return the distinguished name (ETSI EN 319 412-2 §4.2.4)."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country.code),
            x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name),
            x509.NameAttribute(NameOID.SURNAME, subject.surname),
            x509.NameAttribute(NameOID.GIVEN_NAME, subject.given_name),
            x509.NameAttribute(
                NameOID.SERIAL_NUMBER, country.subject_serial_number(subject.rnokpp)
            ),
        ]
    )
