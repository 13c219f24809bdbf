"""Certificates of the OCSP responder and of the timestamping unit."""

from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signer_core.pki.citizen import Addresses, authority_access, revocation_list
from signer_core.pki.issuing import Issuance, Issuer, end_entity, finish, key_usage, start_under

RESPONDER_LIFETIME: Final = timedelta(days=30)  # nobody can revoke it: short
TIMESTAMPING_LIFETIME: Final = timedelta(days=365)


def issue_responder(
    issuer: Issuer, issuance: Issuance, public_key: ec.EllipticCurvePublicKey
) -> x509.Certificate:
    """Issue the delegated responder's certificate (RFC 6960 §4.2.2.2), never asked about itself.

    Raises:
        VerificationError: the issuer's key is not that of its certificate.
    """
    name = _name(issuer, "OCSP responder")
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
    builder = (
        end_entity(start_under(issuer, issuance, public_key, name, RESPONDER_LIFETIME))
        .add_extension(key_usage("digital_signature"), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
    )
    return finish(builder, issuer)


def issue_timestamping(
    issuer: Issuer,
    issuance: Issuance,
    public_key: ec.EllipticCurvePublicKey,
    addresses: Addresses,
) -> x509.Certificate:
    """Issue the timestamping unit's certificate (RFC 3161 §2.3: one usage, critical).

    Raises:
        VerificationError: the issuer's key is not that of its certificate.
    """
    name = _name(issuer, "Timestamping unit")
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    builder = (
        end_entity(start_under(issuer, issuance, public_key, name, TIMESTAMPING_LIFETIME))
        .add_extension(key_usage("digital_signature"), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(revocation_list(addresses), critical=False)
        .add_extension(authority_access(addresses), critical=False)
    )
    return finish(builder, issuer)


def _name(issuer: Issuer, common_name: str) -> x509.Name:
    """Name it beside its issuer: same country, same organisation."""
    beside = [one for one in issuer.certificate.subject if one.oid != NameOID.COMMON_NAME]
    return x509.Name([*beside, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
