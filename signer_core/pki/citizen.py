"""The certificate of a citizen's two-party key."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID

from signer_core.pki.country import CountryProfile
from signer_core.pki.issuing import Issuance, Issuer, end_entity, finish, key_usage, start_under
from signer_core.pki.qualified import directory_attribute, qc_statements
from signer_core.pki.subject import Subject, check_subject, subject_name

LIFETIME: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a verifier finds what it needs, as http URLs."""

    crl: str
    ocsp: str
    ca_issuers: str  # DER of the issuing certificate


def issue_citizen(
    issuer: Issuer,
    issuance: Issuance,
    public_key: ec.EllipticCurvePublicKey,
    subject: Subject,
    country: CountryProfile,
    addresses: Addresses,
) -> x509.Certificate:
    """Issue a certificate for signatures, nothing else (ETSI EN 319 412-2).

    It is good for the issuance's lifetime, or a year.

    The caller has verified that the owner of `public_key` asked for it and is `subject`.

    Raises:
        InvalidRequestError: a name or a number is not of the country's form.
        VerificationError: the issuer's key is not that of its certificate.
    """
    check_subject(subject, country)
    name = subject_name(subject, country)
    policy = x509.PolicyInformation(x509.ObjectIdentifier(country.policy_oid), None)
    lifetime = issuance.lifetime or LIFETIME
    builder = (
        end_entity(start_under(issuer, issuance, public_key, name, lifetime))
        .add_extension(key_usage("content_commitment"), critical=True)  # = nonRepudiation
        .add_extension(x509.CertificatePolicies([policy]), critical=False)
        .add_extension(revocation_list(addresses), critical=False)
        .add_extension(authority_access(addresses), critical=False)
        .add_extension(directory_attribute(country.unzr.oid, subject.unzr), critical=False)
    )
    if country.qc_statements:
        builder = builder.add_extension(qc_statements(country.qc_statements), critical=False)
    return finish(builder, issuer)


def revocation_list(addresses: Addresses) -> x509.CRLDistributionPoints:
    """Return the extension that names the issuer's CRL."""
    location = [x509.UniformResourceIdentifier(addresses.crl)]
    return x509.CRLDistributionPoints([x509.DistributionPoint(location, None, None, None)])


def authority_access(addresses: Addresses) -> x509.AuthorityInformationAccess:
    """Return the extension that names the OCSP responder and the issuer's certificate."""
    places = (
        (AuthorityInformationAccessOID.OCSP, addresses.ocsp),
        (AuthorityInformationAccessOID.CA_ISSUERS, addresses.ca_issuers),
    )
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(how, x509.UniformResourceIdentifier(url)) for how, url in places]
    )
