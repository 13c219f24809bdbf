"""The certificate of an organisation's seal (ETSI EN 319 412-3)."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from signer_core.errors import InvalidRequestError
from signer_core.pki.citizen import Addresses, authority_access, revocation_list
from signer_core.pki.country import CountryProfile
from signer_core.pki.issuing import Issuance, Issuer, end_entity, finish, key_usage, start_under
from signer_core.pki.qualified import Statement, qc_statements

LIFETIME: Final = timedelta(days=2 * 365)

_MAX_NAME_LENGTH: Final = 64  # characters, ub-organization-name of RFC 5280
_EDRPOU: Final = re.compile(r"\d{8}", re.ASCII)  # number in the register of legal persons


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whose seal it is."""

    name: str  # as registered, at most 64 characters
    edrpou: str  # 8 digits

    def __post_init__(self) -> None:
        name = self.name
        if not 0 < len(name) <= _MAX_NAME_LENGTH or not name.isprintable() or name != name.strip():
            raise InvalidRequestError("an organisation's name is 1 to 64 printable characters")
        if _EDRPOU.fullmatch(self.edrpou) is None:
            raise InvalidRequestError("an EDRPOU has 8 digits")


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
