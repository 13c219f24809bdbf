"""An officer's key file: a P-256 key sealed under a passphrase; the certificate lies beside it.

Argon2id makes the key of AES-256-GCM; everything else in the file is authenticated with it.
"""

import base64
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from argon2.low_level import Type, hash_secret_raw
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from hsm_module.ceremony.files import write_secret
from hsm_module.officers.errors import FileError, KeyFileError

# RFC 9106 §4, second recommendation: 64 MiB, 3 passes, 4 lanes; 0.1 s
_COST: Final = {"memory_kib": 64 * 1024, "passes": 3, "lanes": 4}
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_MAX_COST: Final = {"memory_kib": 1 << 20, "passes": 16, "lanes": 16}  # of a file from elsewhere
_FIELDS: Final = {"version", "officer", "salt", "nonce", "sealed", *_COST}


@dataclass(frozen=True, slots=True)
class Passphrase:
    """What opens a key file."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OfficerKey:
    """An officer's private key, open."""

    officer_id: str
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    def pem(self) -> bytes:
        """Return the key (PKCS#8, PEM, in clear) for the TLS stack; it goes nowhere else."""
        return self.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def csr(self) -> bytes:
        """Return a certificate request (DER PKCS#10) for this key."""
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return builder.sign(self.private_key, SHA256()).public_bytes(Encoding.DER)


def make_key_file(path: Path, officer_id: str, passphrase: Passphrase) -> OfficerKey:
    """Make a key and write it sealed, mode 0600.

    Raises:
        FileError: there is a file already, or it cannot be written.
    """
    if path.exists():
        raise FileError(f"{path} is there already: a key file is never overwritten")
    key = OfficerKey(officer_id, ec.generate_private_key(ec.SECP256R1()))
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    head: dict[str, Any] = {"version": 1, "officer": officer_id, "salt": _text(salt), **_COST}
    plain = key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = AESGCM(_derive(passphrase, head)).encrypt(nonce, plain, _bound(head))
    content = {**head, "nonce": _text(nonce), "sealed": _text(sealed)}
    try:
        write_secret(path, json.dumps(content, indent=1).encode() + b"\n")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}") from None
    return key


def open_key_file(path: Path, passphrase: Passphrase) -> OfficerKey:
    """Open a key file.

    Raises:
        KeyFileError: missing, no key file, altered, or another passphrase.
    """
    content = _read(path)
    head = {name: content[name] for name in ("version", "officer", "salt", *_COST)}
    try:
        cipher = AESGCM(_derive(passphrase, head))
        plain = cipher.decrypt(_bytes(content["nonce"]), _bytes(content["sealed"]), _bound(head))
        key = load_der_private_key(plain, None)
    except InvalidTag:
        raise KeyFileError(
            f"the passphrase is not that of {path}, or the file was altered"
        ) from None
    except ValueError:
        raise KeyFileError(f"{path} is damaged: ask another officer for a new key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyFileError(f"{path} is damaged: ask another officer for a new key")
    return OfficerKey(content["officer"], key)


def certificate_path(key_file: Path) -> Path:
    """Return where the certificate of a key file is."""
    return key_file.with_suffix(".crt")


def read_certificate(key_file: Path, key: OfficerKey) -> bytes:
    """Return the certificate beside a key file (PEM, with its CA).

    Raises:
        KeyFileError: missing, or of another key.
    """
    path = certificate_path(key_file)
    try:
        pem = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem)
    except OSError:
        raise KeyFileError(
            f"{path} is missing: an officer makes it from your request by `officer add`"
        ) from None
    except ValueError:
        raise KeyFileError(f"{path} is no certificate") from None
    if certificate.public_key() != key.private_key.public_key():
        raise KeyFileError(f"{path} is of another key than {key_file}")
    return pem


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise KeyFileError(f"the key file {path} cannot be read: {error.strerror}") from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or set(content) != _FIELDS or content["version"] != 1:
        raise KeyFileError(f"{path} is no key file of signer-keys")
    costs = {name: content[name] for name in _COST}
    if not all(isinstance(c, int) and 0 < c <= _MAX_COST[n] for n, c in costs.items()):
        raise KeyFileError(f"{path} is no key file of signer-keys")
    return content


def _derive(passphrase: Passphrase, head: dict[str, Any]) -> bytes:
    secret = passphrase.text.encode()
    costs = (head["passes"], head["memory_kib"], head["lanes"])
    return hash_secret_raw(secret, _bytes(head["salt"]), *costs, 32, Type.ID)


def _bound(head: dict[str, Any]) -> bytes:
    return b"diia-signer/officer-key/v1" + json.dumps(head, sort_keys=True).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: object) -> bytes:
    if not isinstance(text, str):
        raise ValueError("not text")  # noqa: TRY004  a damaged file, as any other
    return base64.b64decode(text, validate=True)
