"""Certificates of authorities: the root, and the three under it.

Each authority carries the extended key usages of what it issues, and OpenSSL, NSS and Go hold
its certificates to them: a stolen device CA makes no server, a stolen issuing CA no process.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from signer_core.pki.issuing import Issuance, Issuer, finish, key_usage, start, start_under

ROOT_LIFETIME: Final = timedelta(days=20 * 365)
AUTHORITY_LIFETIME: Final = timedelta(days=10 * 365)
_DOCUMENT_SIGNING: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336


class Authority(Enum):
    """The authorities under the root, by the usages of what they issue."""

    # emailProtection: NSS (pdfsig) and `openssl cms` ask for it where there is any usage at all;
    # OCSPSigning: for the responder's certificate (RFC 6960 §4.2.2.2)
    ISSUING = (
        _DOCUMENT_SIGNING,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.OCSP_SIGNING,
        ExtendedKeyUsageOID.TIME_STAMPING,  # for the timestamping unit's
    )
    DEVICE = (ExtendedKeyUsageOID.CLIENT_AUTH,)
    INFRASTRUCTURE = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True, slots=True)
class RootAddresses:
    """Where a verifier finds the root's list and certificate, as http URLs."""

    crl: str
    ca_issuers: str


def authority_name(common_name: str, country_code: str, organization: str) -> x509.Name:
    """Return the distinguished name of an authority or of the registry."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country_code),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def issue_root(
    issuance: Issuance, key: ec.EllipticCurvePrivateKey, name: x509.Name
) -> x509.Certificate:
    """Issue the self-signed root: 20 years, one level of authorities below it."""
    builder = (
        start(name, issuance, key.public_key(), name, ROOT_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return finish(builder, Issuer(certificate, key))


def issue_authority(
    root: Issuer,
    issuance: Issuance,
    public_key: ec.EllipticCurvePublicKey,
    name: x509.Name,
    authority: Authority,
    root_at: RootAddresses | None = None,
) -> x509.Certificate:
    """Issue an authority: 10 years, only end entities below it.

    Without `root_at` it names no CRL of the root: a verifier must have it from elsewhere.
    """
    builder = (
        start_under(root, issuance, public_key, name, AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.ExtendedKeyUsage(authority.value), critical=False)
    )
    if authority is Authority.ISSUING:
        any_policy = x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None)
        builder = builder.add_extension(x509.CertificatePolicies([any_policy]), critical=False)
    if root_at is not None:
        crl = x509.DistributionPoint([_url(root_at.crl)], None, None, None)
        issuers = AuthorityInformationAccessOID.CA_ISSUERS
        access = x509.AccessDescription(issuers, _url(root_at.ca_issuers))
        builder = builder.add_extension(
            x509.CRLDistributionPoints([crl]), critical=False
        ).add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return finish(builder, root)


def _url(address: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(address)
