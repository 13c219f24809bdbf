"""Root, the three authorities and the registry: what only the root token can issue."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hsm_module.ceremony.certificates import check_certificate, find_certificate, pem
from hsm_module.ceremony.files import write_public
from hsm_module.ceremony.home import Home
from hsm_module.ceremony.plan import Plan
from hsm_module.token.manifest import Manifest
from signer_core.errors import VerificationError
from signer_core.pki.authority import (
    Authority,
    RootAddresses,
    authority_name,
    issue_authority,
    issue_root,
)
from signer_core.pki.issuing import Issuance, Issuer
from signer_core.pki.registry import issue_registry

ROOT_KEY: Final = "root-ca"
REGISTRY_KEY: Final = "registry"
AUTHORITIES: Final = {
    "issuing-ca": (Authority.ISSUING, "Issuing CA"),
    "device-ca": (Authority.DEVICE, "Device CA"),
    "infrastructure-ca": (Authority.INFRASTRUCTURE, "Infrastructure CA"),
}


Issue = Callable[[Issuance, x509.Name], x509.Certificate]


@dataclass(frozen=True, slots=True)
class Authorities:
    """The certificates that `public/` has when the root's work is done."""

    root: x509.Certificate
    below: dict[str, x509.Certificate]  # by label: the three authorities, then the registry


def is_root_needed(home: Home) -> bool:
    """Say whether a certificate is missing that only the root token can issue."""
    return not all(home.certificate(name).exists() for name in ("root", *AUTHORITIES, REGISTRY_KEY))


def issue_missing(
    home: Home, plan: Plan, serving: Manifest, root_key: ec.EllipticCurvePrivateKey, now: datetime
) -> list[str]:
    """Issue what is missing; return the names issued.

    Raises:
        VerificationError: the root certificate on disk is of another key than the root token's.
    """
    issued: list[str] = []

    def ensure(label: str, title: str, issue: Issue) -> x509.Certificate:
        path = home.certificate(label)
        found = find_certificate(path)
        if found is not None:
            return found
        name = authority_name(title, plan.country.code, plan.organization)
        certificate = issue(Issuance(x509.random_serial_number(), now), name)
        write_public(path, pem(certificate))
        issued.append(label)
        return certificate

    certificate = ensure("root", "Root CA", lambda order, name: issue_root(order, root_key, name))
    check_certificate(certificate, home.certificate("root"), root_key.public_key(), certificate)
    root = Issuer(certificate, root_key)
    for label, (kind, title) in AUTHORITIES.items():
        public_key = serving.keys[label].public_key()
        ensure(label, title, _authority(root, public_key, kind, plan.root_at))
    registry_key = serving.keys[REGISTRY_KEY].public_key()
    ensure(
        REGISTRY_KEY,
        "Registry of relying parties",
        lambda order, name: issue_registry(root, order, registry_key, name),
    )
    return issued


def _authority(
    root: Issuer,
    public_key: ec.EllipticCurvePublicKey,
    kind: Authority,
    root_at: RootAddresses | None,
) -> Issue:
    return lambda order, name: issue_authority(root, order, public_key, name, kind, root_at)


def read_authorities(home: Home, serving: Manifest) -> Authorities:
    """Read and check all of them, and write the chain file.

    Raises:
        VerificationError: one is of another key than the token's, or of another root.
    """
    root = _read(home, "root")
    below = {label: _read(home, label) for label in (*AUTHORITIES, REGISTRY_KEY)}
    for label, certificate in below.items():
        public_key = serving.keys[label].public_key()
        check_certificate(certificate, home.certificate(label), public_key, root)
    chain = pem(*(below[label] for label in AUTHORITIES))
    write_public(home.public / "ca-chain.pem", chain)
    return Authorities(root, below)


def _read(home: Home, label: str) -> x509.Certificate:
    found = find_certificate(home.certificate(label))
    if found is None:
        raise VerificationError(f"{home.certificate(label)} is missing")
    return found
