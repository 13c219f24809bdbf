"""What every certificate has: who issues it, when, key identifiers, a checked signature."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import InvalidRequestError, VerificationError

BACKDATE: Final = timedelta(minutes=5)  # clocks of phones and partners that are a little slow
_MAX_SERIAL: Final = 1 << 159  # 20 octets, positive (RFC 5280 §4.1.2.2)


@dataclass(frozen=True, slots=True)
class Issuer:
    """A certificate authority: its certificate, and a key that signs for it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Issuance:
    """What makes one certificate different from the next."""

    serial: int  # 1 to 2^159 - 1, from `x509.random_serial_number()`: at least 64 random bits
    now: datetime  # UTC
    lifetime: timedelta | None = None  # of a person's certificate; None: a year

    def __post_init__(self) -> None:
        if not 0 < self.serial < _MAX_SERIAL:
            raise InvalidRequestError("a serial number is 1 to 20 octets, positive")
        if self.now.tzinfo is not UTC:
            raise InvalidRequestError("the time of issuing is in UTC")


def start(
    issuer_name: x509.Name,
    issuance: Issuance,
    public_key: ec.EllipticCurvePublicKey,
    subject: x509.Name,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    """Return a builder with names, key, serial number, validity and subject key identifier."""
    if not isinstance(public_key.curve, ec.SECP256R1):
        raise InvalidRequestError("the key of a certificate is on P-256")
    return (
        x509.CertificateBuilder()
        .issuer_name(issuer_name)
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(issuance.serial)
        .not_valid_before(issuance.now - BACKDATE)
        .not_valid_after(issuance.now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def start_under(
    issuer: Issuer,
    issuance: Issuance,
    public_key: ec.EllipticCurvePublicKey,
    subject: x509.Name,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    """Return a builder as `start` does, issued by `issuer` and not outliving it.

    Raises:
        InvalidRequestError: the issuer is not valid at the time of issuing.
    """
    valid_until = issuer.certificate.not_valid_after_utc
    if not issuer.certificate.not_valid_before_utc <= issuance.now < valid_until:
        raise InvalidRequestError("the issuing certificate is not valid at this time")
    key_identifier = issuer.certificate.extensions.get_extension_for_class(
        x509.SubjectKeyIdentifier
    )
    return start(
        issuer.certificate.subject,
        issuance,
        public_key,
        subject,
        min(lifetime, valid_until - issuance.now),
    ).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_identifier.value),
        critical=False,
    )


def end_entity(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    """Say that the certificate issues none."""
    return builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)


def finish(builder: x509.CertificateBuilder, issuer: Issuer) -> x509.Certificate:
    """Sign, and check the signature under the issuer's certificate.

    A token gives back a wrong signature without a word when its key file is damaged.

    Raises:
        VerificationError: the issuer's key is not that of its certificate.
    """
    certificate = builder.sign(issuer.key, hashes.SHA256())
    try:
        certificate.verify_directly_issued_by(issuer.certificate)
    except (InvalidSignature, ValueError, TypeError):
        raise VerificationError("the issuing key is not that of the certificate") from None
    return certificate


def subject_key_identifier(certificate: x509.Certificate) -> bytes:
    """Return the identifier of the key in a certificate of ours: its SHA-1 (20 bytes)."""
    extension = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return extension.value.digest


def key_usage(*uses: str) -> x509.KeyUsage:
    """Return a key usage with exactly these flags, named as `cryptography` names them."""
    return x509.KeyUsage(**{flag: flag in uses for flag in _KEY_USAGES})


_KEY_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
