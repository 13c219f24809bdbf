"""A whole hierarchy of certificates in memory, for tests that need one."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.pki.authority import Authority, authority_name, issue_authority, issue_root
from signer_core.pki.citizen import Addresses
from signer_core.pki.countries import bundled_country
from signer_core.pki.country import CountryProfile, parse_country
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.subject import Subject

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ADDRESSES = Addresses(
    crl="http://pki.example/issuing-ca.crl",
    ocsp="http://pki.example/ocsp",
    ca_issuers="http://pki.example/issuing-ca.cer",
)
SUBJECT = Subject(
    common_name="Вигадана Марія Тарасівна",
    surname="Вигадана",
    given_name="Марія Тарасівна",
    rnokpp="3184710691",
    unzr="19870312-01234",
)


def ukraine() -> CountryProfile:
    return parse_country(bundled_country("ua"))


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def issuance(now: datetime = NOW) -> Issuance:
    return Issuance(x509.random_serial_number(), now)


@dataclass(frozen=True)
class Hierarchy:
    """Root and authorities, with their keys."""

    root: Issuer
    issuing: Issuer
    device: Issuer
    infrastructure: Issuer


def make_hierarchy(now: datetime = NOW) -> Hierarchy:
    key = new_key()
    root = Issuer(issue_root(issuance(now), key, authority_name("Root", "UA", "Test")), key)

    def under_root(authority: Authority) -> Issuer:
        key = new_key()
        name = authority_name(authority.name.title(), "UA", "Test")
        return Issuer(issue_authority(root, issuance(now), key.public_key(), name, authority), key)

    return Hierarchy(
        root,
        under_root(Authority.ISSUING),
        under_root(Authority.DEVICE),
        under_root(Authority.INFRASTRUCTURE),
    )
