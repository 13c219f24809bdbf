"""Who is at the other end of a mutual TLS connection. The listener has verified the chain.

What a certificate says is worked out once for as long as it is in use.
"""

import hashlib
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from grpc_api.interceptors.around import Context
from signer_core.errors import DeniedError
from signer_core.identifiers import DeviceKeyHash

_PHONES: Final = 1024  # remembered at once, some 2 KiB each
_PROCESSES: Final = 64


def peer_names(context: Context) -> frozenset[str]:
    """Return the DNS names in the peer's certificate.

    Raises:
        DeniedError: the peer has shown no certificate, or one without names.
    """
    return _names(_shown(context))


def peer_device(context: Context) -> DeviceKeyHash:
    """Return the hash of the peer's key, on a listener that trusts only the device CA.

    Raises:
        DeniedError: the peer has shown no certificate, or one that is not named after its key.
    """
    return _device(_shown(context))


def peer_certificate(context: Context) -> x509.Certificate:
    """Return the peer's certificate.

    Raises:
        DeniedError: the peer has shown none.
    """
    return x509.load_pem_x509_certificate(_shown(context))


def _shown(context: Context) -> bytes:
    """Return the peer's certificate, PEM.

    Raises:
        DeniedError: the peer has shown none.
    """
    shown = tuple(context.auth_context().get("x509_pem_cert", ()))
    if len(shown) != 1:
        raise DeniedError("the caller has shown no certificate")
    return shown[0]


@lru_cache(maxsize=_PROCESSES)
def _names(pem: bytes) -> frozenset[str]:
    try:
        names = x509.load_pem_x509_certificate(pem).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        raise DeniedError("the caller's certificate names no process") from None
    return frozenset(names.value.get_values_for_type(x509.DNSName))


@lru_cache(maxsize=_PHONES)
def _device(pem: bytes) -> DeviceKeyHash:
    certificate = x509.load_pem_x509_certificate(pem)
    info = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key_hash = DeviceKeyHash(hashlib.sha256(info).digest())
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [name.value for name in names] != [key_hash.hex()]:
        raise DeniedError("this certificate is not one of a device")
    return key_hash
