"""The certificate of a security officer: the client's end of mutual TLS, nothing else."""

from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signer_core.pki.issuing import Issuance, Issuer, end_entity, finish, key_usage, start_under

LIFETIME: Final = timedelta(days=365)
CALLER_NAME: Final = "officer.internal"  # of every officer, in the tables of allowed callers
_URN: Final = "urn:diia-signer:officer:"


def issue_officer(
    issuer: Issuer, issuance: Issuance, public_key: ec.EllipticCurvePublicKey, officer_id: str
) -> x509.Certificate:
    """Issue the certificate; whoever calls has checked the id."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, officer_id)])
    names = [x509.DNSName(CALLER_NAME), x509.UniformResourceIdentifier(_URN + officer_id)]
    builder = (
        end_entity(start_under(issuer, issuance, public_key, name, LIFETIME))
        .add_extension(key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
    )
    return finish(builder, issuer)


def find_officer_id(certificate: x509.Certificate) -> str | None:
    """Return the officer's id in a certificate, None if it names none, or more than one."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return None
    uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    found = [uri.removeprefix(_URN) for uri in uris if uri.startswith(_URN)]
    return found[0] if len(found) == 1 else None
