"""Certificates on disk: keep what is right, make what is missing, refuse what does not fit."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from hsm_module.ceremony.files import write_secret
from signer_core.errors import VerificationError

RENEW_BEFORE: Final = timedelta(days=30)  # a process certificate is made again this early


def pem(*certificates: x509.Certificate) -> bytes:
    """Return certificates as PEM, in the order given."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def find_certificate(path: Path) -> x509.Certificate | None:
    """Return the first certificate of a PEM file, None if there is no file.

    Raises:
        VerificationError: the file holds no certificate.
    """
    if not path.exists():
        return None
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        raise VerificationError(f"{path} is not a certificate: restore or remove it") from None


def check_certificate(
    certificate: x509.Certificate,
    path: Path,
    public_key: ec.EllipticCurvePublicKey,
    issuer: x509.Certificate,
) -> None:
    """Check that a certificate found on disk is of this key and this issuer.

    Raises:
        VerificationError: it is of another key or another issuer.
    """
    if certificate.public_key() != public_key:
        raise VerificationError(f"{path} is of another key than the token's: restore or remove it")
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        raise VerificationError(f"{path} is of another issuer: restore or remove it") from None


def is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Say whether a process certificate should be made again."""
    return certificate.not_valid_after_utc - now < RENEW_BEFORE


def ensure_private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key of a PEM file of mode 0600, made now if there is none.

    Raises:
        VerificationError: the file is not such a key.
    """
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return key
    try:
        found = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise VerificationError(f"{path} is not a private key: restore or remove it")
    return found
