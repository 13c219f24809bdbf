"""The key that authenticates a phone to signer and vault: P-256, in PEM because TLS wants PEM."""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from mobile_share.errors import DamagedFileError, NotEnrolledError
from mobile_share.files import read_file
from signer_core.identifiers import DeviceKeyHash


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """The device key; TLS takes it as PEM in memory, so no decrypted file is ever written."""

    private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    @property
    def key_hash(self) -> DeviceKeyHash:
        """SHA-256 (32 bytes) of its SubjectPublicKeyInfo."""
        return device_key_hash(self.private_key.public_key())

    def pem(self) -> bytes:
        """Return the private key as unencrypted PKCS#8 PEM: for memory, never for a file."""
        return _encode(self.private_key, serialization.NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """Return ES256 over a message: r and s, 32 bytes each (RFC 7518 §3.4)."""
        der = self.private_key.sign(message, ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def make_device_key_pem(password: bytes | None = None) -> bytes:
    """Make a new device key, PKCS#8 PEM, encrypted under `password` where one is given."""
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return _encode(ec.generate_private_key(ec.SECP256R1()), encryption)


def _encode(
    key: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def read_device_key(path: Path, password: bytes | None = None) -> DeviceKey:
    """Read the PEM at `path`.

    Raises:
        NotEnrolledError: there is none.
        DamagedFileError: it is no P-256 key, or not under this password.
    """
    pem = read_file(path)
    if pem is None:
        raise NotEnrolledError("this phone has no device key: enrol first")
    return _parse(pem, password)


@lru_cache(maxsize=64)  # of an app that is open, as TLS has it in memory
def _parse(pem: bytes, password: bytes | None) -> DeviceKey:
    try:
        key = serialization.load_pem_private_key(pem, password)
    except (ValueError, TypeError):
        raise DamagedFileError("the device key of this phone is damaged: enrol again") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise DamagedFileError("the device key of this phone is not on P-256: enrol again")
    return DeviceKey(key)


def device_key_hash(public_key: ec.EllipticCurvePublicKey) -> DeviceKeyHash:
    """Return SHA-256 (32 bytes) of the DER SubjectPublicKeyInfo."""
    spki = public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return DeviceKeyHash(hashlib.sha256(spki).digest())


def make_csr(key: DeviceKey) -> bytes:
    """Return a DER PKCS#10 with an empty subject: the CA names the device by its key's hash."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = builder.sign(key.private_key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.DER)
