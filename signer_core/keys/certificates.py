"""A person's certificate as the signer uses it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from signer_core.errors import NotFoundError, VerificationError
from signer_core.identifiers import KeyId
from signer_core.pki.qualified import find_directory_value
from signer_core.ports import CertificateChain


@dataclass(frozen=True, slots=True)
class PersonCertificate:
    """The certificate of one user key."""

    key_id: KeyId
    certificate: bytes = field(repr=False)  # DER
    chain: tuple[bytes, ...] = field(repr=False)  # DER, issuer first, root last
    serial: bytes  # at most 20 bytes, big-endian (RFC 5280 §4.1.2.2)
    person_code: str = field(repr=False)
    not_after: datetime
    unzr: str | None = field(default=None, repr=False)

    @classmethod
    def from_chain(cls, key_id: KeyId, issued: CertificateChain) -> Self:
        """Read what the vault issued.

        Raises:
            VerificationError: it is no certificate of a natural person (ETSI EN 319 412-1 §5.1.3).
        """
        try:
            certificate = x509.load_der_x509_certificate(issued.certificate)
            names = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
        except ValueError:
            raise VerificationError("the vault answered with a broken certificate") from None
        if len(names) != 1:
            raise VerificationError("the certificate does not name exactly one person")
        return cls(
            key_id,
            issued.certificate,
            issued.chain,
            certificate.serial_number.to_bytes(20, "big"),
            parse_person_code(str(names[0].value)),
            certificate.not_valid_after_utc,
            find_directory_value(certificate),
        )

    def check_valid_at(self, now_s: int) -> None:
        """Check that the certificate has not run out at `now_s` (Unix time).

        Raises:
            NotFoundError: it has.
        """
        if datetime.fromtimestamp(now_s, UTC) > self.not_after:
            raise NotFoundError("this person's certificate has run out: enrol again")

    def chain_pem(self) -> str:
        """Return the issuers as PEM, for the database."""
        certificates = (x509.load_der_x509_certificate(der) for der in self.chain)
        return "".join(c.public_bytes(Encoding.PEM).decode("ascii") for c in certificates)


def parse_person_code(serial_number: str) -> str:
    """Return the national number in a subject's serialNumber, for example of `TINUA-...`.

    Three letters of type, two of country, a hyphen, the number: ETSI EN 319 412-1 §5.1.3.

    Raises:
        VerificationError: it has another form.
    """
    scheme, hyphen, code = serial_number.partition("-")
    if not (hyphen and code and len(scheme) == 5 and scheme.isascii() and scheme.isupper()):
        raise VerificationError("the certificate carries no national number")
    return code
