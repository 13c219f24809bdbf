"""The certificate of one of the system's own processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signer_core.errors import InvalidRequestError
from signer_core.pki.issuing import Issuance, Issuer, end_entity, finish, key_usage, start_under

LIFETIME: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class ProcessNames:
    """What a process answers to; the first DNS name is its name as a caller."""

    dns: Sequence[str]
    addresses: Sequence[IPv4Address] = ()


def issue_process(
    issuer: Issuer, issuance: Issuance, public_key: ec.EllipticCurvePublicKey, names: ProcessNames
) -> x509.Certificate:
    """Issue a certificate for both ends of mutual TLS.

    Raises:
        InvalidRequestError: there is no DNS name.
    """
    if not names.dns:
        raise InvalidRequestError("a process has at least one DNS name")
    general_names = [
        *(x509.DNSName(name) for name in names.dns),
        *(x509.IPAddress(address) for address in names.addresses),
    ]
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names.dns[0])])
    builder = (
        end_entity(start_under(issuer, issuance, public_key, name, LIFETIME))
        .add_extension(key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectAlternativeName(general_names), critical=False)
    )
    return finish(builder, issuer)
