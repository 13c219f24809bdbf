"""The certificate of the key in a phone's platform key store."""

import hashlib
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signer_core.identifiers import DeviceKeyHash
from signer_core.pki.issuing import Issuance, Issuer, end_entity, finish, key_usage, start_under

LIFETIME: Final = timedelta(days=365)  # that of the citizen's certificate


def device_key_hash(public_key: ec.EllipticCurvePublicKey) -> DeviceKeyHash:
    """Return SHA-256 of the key's DER SubjectPublicKeyInfo (32 bytes)."""
    spki = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return DeviceKeyHash(hashlib.sha256(spki).digest())


def issue_device(
    issuer: Issuer, issuance: Issuance, public_key: ec.EllipticCurvePublicKey
) -> x509.Certificate:
    """Issue a TLS client certificate; its only name is the hash of its key, in hex.

    TLS 1.3 shows nobody but the server a client's certificate; still it says nothing of a person.
    """
    common_name = x509.NameAttribute(NameOID.COMMON_NAME, device_key_hash(public_key).hex())
    name = x509.Name([common_name])
    builder = (
        end_entity(start_under(issuer, issuance, public_key, name, LIFETIME))
        .add_extension(key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    return finish(builder, issuer)
