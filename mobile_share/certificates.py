"""Certificates of this phone, checked against its own keys and the pinned root."""

from datetime import date, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
)
from cryptography.x509.verification import VerificationError as ChainError

from mobile_share.authorisation import AuthorisedSubject
from mobile_share.keystore import DeviceKey, device_key_hash
from signer_core.errors import VerificationError


def verify_own_certificate(
    chain: list[bytes], public_key: bytes, root: x509.Certificate, now: datetime
) -> x509.Certificate:
    """Check the certificate of a two-party key; `chain` is DER, the certificate first.

    1. Each part is a certificate.
    2. It is on our own Q (33 bytes, compressed): whoever swaps the key is found here.
    3. It chains to the pinned root, at `now`.
    4. Its key usage is nonRepudiation and nothing else.

    Raises:
        VerificationError: at the first that fails.
    """
    certificates = _parse(chain)  # 1
    if _compressed(certificates[0]) != public_key:  # 2
        raise VerificationError("the certificate is not on this phone's own key")
    _verify_chain(certificates, root, now)  # 3
    _verify_usage(certificates[0])  # 4
    return certificates[0]


def verify_device_certificate(
    chain: list[bytes], key: DeviceKey, root: x509.Certificate, now: datetime
) -> x509.Certificate:
    """Check the certificate of the device key; `chain` is DER, the certificate first.

    1. Each part is a certificate.
    2. It is on the device key of this phone.
    3. It chains to the pinned root, at `now`.

    Raises:
        VerificationError: at the first that fails.
    """
    certificates = _parse(chain)  # 1
    named = certificates[0].public_key()
    own = key.key_hash
    if not isinstance(named, ec.EllipticCurvePublicKey) or device_key_hash(named) != own:  # 2
        raise VerificationError("the device certificate is for another phone")
    _verify_chain(certificates, root, now)  # 3
    return certificates[0]


def verify_subject(certificate: x509.Certificate, who: AuthorisedSubject) -> None:
    """Check that the certificate names the person who confirmed the enrolment.

    Raises:
        VerificationError: a name differs, is missing or there twice.
    """
    expected = (
        (NameOID.COMMON_NAME, who.common_name),
        (NameOID.SURNAME, who.surname),
        (NameOID.GIVEN_NAME, who.given_name),
    )
    for oid, value in expected:
        if [a.value for a in certificate.subject.get_attributes_for_oid(oid)] != [value]:
            raise VerificationError("the certificate names another person")


def birth_date(certificate: x509.Certificate) -> date | None:
    """Return the birth date in the Ukrainian tax number of a certificate, None where there is none.

    Its first five digits count days since 31 December 1899 (docs/sandbox-people.md). Wanted only
    because the date's digits are a weak PIN.
    """
    for name in certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER):
        scheme, _, code = str(name.value).partition("-")
        if scheme == "TINUA" and len(code) == 10 and code.isascii() and code.isdigit():
            return date(1899, 12, 31) + timedelta(days=int(code[:5]))
    return None


def _parse(chain: list[bytes]) -> list[x509.Certificate]:
    if not chain:
        raise VerificationError("there is no certificate")
    try:
        return [x509.load_der_x509_certificate(der) for der in chain]
    except ValueError:
        raise VerificationError("a certificate is malformed") from None


def _compressed(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise VerificationError("the certificate is not on P-256")
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)


def _verify_chain(
    certificates: list[x509.Certificate], root: x509.Certificate, now: datetime
) -> None:
    # Names and extended usages of the web's profile are not ours: an authority for signers of
    # documents is none for TLS. What matters of a leaf is checked by the callers. In all else
    # the CAs follow the library's own rules.
    builder = (
        PolicyBuilder()
        .store(Store([root]))
        .time(now)
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca().may_be_present(
                x509.ExtendedKeyUsage, Criticality.AGNOSTIC, None
            ),
            ee_policy=ExtensionPolicy.permit_all(),
        )
    )
    try:
        builder.build_client_verifier().verify(certificates[0], certificates[1:])
    except ChainError:
        raise VerificationError("the certificate does not lead to the pinned root") from None


def _verify_usage(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        raise VerificationError("the certificate says nothing of its key's use") from None
    others = (
        usage.digital_signature,
        usage.key_encipherment,
        usage.data_encipherment,
        usage.key_agreement,
        usage.key_cert_sign,
        usage.crl_sign,
    )
    if not usage.content_commitment or any(others):
        raise VerificationError("the certificate is not for signing documents")
