"""Whom a citizen's certificate names."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID

from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.pki.country import CountryProfile
from signer_core.pki.qualified import find_directory_value

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


def subject_of(certificate: x509.Certificate, country: CountryProfile) -> Subject:
    """Return whom a certificate of ours names; issued for that, one names the same in every byte.

    Raises:
        VerificationError: it is not of the form of `subject_name`.
    """
    before, _, after = country.serial_number.partition("{rnokpp}")
    number = _only(certificate, NameOID.SERIAL_NUMBER)
    subject = Subject(
        common_name=_only(certificate, NameOID.COMMON_NAME),
        surname=_only(certificate, NameOID.SURNAME),
        given_name=_only(certificate, NameOID.GIVEN_NAME),
        rnokpp=number.removeprefix(before).removesuffix(after),
        unzr=find_directory_value(certificate) or "",
    )
    if subject_name(subject, country) != certificate.subject:
        raise VerificationError("the certificate in force names nobody of this country")
    return subject


def _only(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    values = [str(one.value) for one in certificate.subject.get_attributes_for_oid(oid)]
    if len(values) != 1:
        raise VerificationError("the certificate in force names not exactly one person")
    return values[0]
