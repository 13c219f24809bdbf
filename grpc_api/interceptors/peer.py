"""Who is at the other end of a mutual TLS connection. The listener has verified the chain."""

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from grpc_api.interceptors.around import Context
from signer_core.errors import DeniedError
from signer_core.identifiers import DeviceKeyHash


def peer_names(context: Context) -> frozenset[str]:
    """Return the DNS names in the peer's certificate.

    Raises:
        DeniedError: the peer has shown no certificate, or one without names.
    """
    try:
        names = peer_certificate(context).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        raise DeniedError("the caller's certificate names no process") from None
    return frozenset(names.value.get_values_for_type(x509.DNSName))


def peer_device(context: Context) -> DeviceKeyHash:
    """Return the hash of the peer's key, on a listener that trusts only the device CA.

    Raises:
        DeniedError: the peer has shown no certificate.
    """
    key = peer_certificate(context).public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return DeviceKeyHash(hashlib.sha256(info).digest())


def peer_certificate(context: Context) -> x509.Certificate:
    """Return the peer's certificate.

    Raises:
        DeniedError: the peer has shown none.
    """
    shown = tuple(context.auth_context().get("x509_pem_cert", ()))
    if len(shown) != 1:
        raise DeniedError("the caller has shown no certificate")
    return x509.load_pem_x509_certificate(shown[0])
