"""The certificate of an organisation's seal (ETSI EN 319 412-3)."""

from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from signer_core.pki.citizen import Addresses, authority_access, revocation_list
from signer_core.pki.country import CountryProfile
from signer_core.pki.issuing import Issuance, Issuer, end_entity, finish, key_usage, start_under
from signer_core.pki.organisation import Organisation
from signer_core.pki.qualified import Statement, qc_statements

LIFETIME: Final = timedelta(days=2 * 365)


def organisation_name(organisation: Organisation, country: CountryProfile) -> x509.Name:
    """Return the distinguished name (EN 319 412-3 §4.2.1, identifier of 412-1 §5.1.4)."""
    identifier = f"NTR{country.code}-{organisation.edrpou}"
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, country.code),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation.name),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, identifier),
            x509.NameAttribute(NameOID.COMMON_NAME, organisation.name),
        ]
    )


def issue_seal(
    issuer: Issuer,
    issuance: Issuance,
    public_key: ec.EllipticCurvePublicKey,
    organisation: Organisation,
    country: CountryProfile,
    addresses: Addresses,
) -> x509.Certificate:
    """Issue a certificate for electronic seals, nothing else, for two years.

    Raises:
        VerificationError: the issuer's key is not that of its certificate.
    """
    name = organisation_name(organisation, country)
    policy = x509.PolicyInformation(x509.ObjectIdentifier(country.policy_oid), None)
    uses = key_usage("digital_signature", "content_commitment")
    builder = (
        end_entity(start_under(issuer, issuance, public_key, name, LIFETIME))
        .add_extension(uses, critical=True)
        .add_extension(x509.CertificatePolicies([policy]), critical=False)
        .add_extension(revocation_list(addresses), critical=False)
        .add_extension(authority_access(addresses), critical=False)
    )
    statements = _statements(country)
    return finish(builder.add_extension(qc_statements(statements), critical=False), issuer)


def _statements(country: CountryProfile) -> list[Statement]:
    """Say what the country says of its certificates, and that this one is for seals."""
    return [*(one for one in country.qc_statements if one != "type-esign"), "type-eseal"]
