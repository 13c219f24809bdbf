"""Every profile as OpenSSL sees it: `-x509_strict`, and only for the purpose it was issued for."""

import subprocess
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from hsm_module.token.hsm_token import HsmToken
from hsm_module.token.port import KeyLabel
from signer_core.pki.authority import Authority, authority_name, issue_authority
from signer_core.pki.citizen import issue_citizen
from signer_core.pki.device import issue_device
from signer_core.pki.issuing import Issuer
from signer_core.pki.process import ProcessNames, issue_process
from signer_core.pki.registry import issue_registry
from tests.fakes.pki import (
    ADDRESSES,
    NOW,
    SUBJECT,
    Hierarchy,
    issuance,
    make_hierarchy,
    new_key,
    ukraine,
)

NAMES = ProcessNames(("signer.internal", "localhost"), (IPv4Address("127.0.0.1"),))


class OpenSsl:
    """`openssl verify` under a root, with a chain, at the time NOW."""

    def __init__(self, folder: Path, cas: Hierarchy) -> None:
        self._folder = folder
        authorities = [cas.issuing, cas.device, cas.infrastructure]
        self._write("root.pem", [cas.root.certificate])
        self._write("chain.pem", [issuer.certificate for issuer in authorities])

    def _write(self, name: str, certificates: list[x509.Certificate]) -> None:
        pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
        (self._folder / name).write_bytes(pem)

    def accepts(self, certificate: x509.Certificate, *options: str) -> bool:
        self._write("leaf.pem", [certificate])
        command = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp()))]
        command += options
        files = ["-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem"]
        return subprocess.run([*command, *files], cwd=self._folder, check=False).returncode == 0


@pytest.fixture(scope="module")
def cas() -> Hierarchy:
    return make_hierarchy()


@pytest.fixture
def openssl(tmp_path: Path, cas: Hierarchy) -> OpenSsl:
    return OpenSsl(tmp_path, cas)


def citizen(cas: Hierarchy, issuer: Issuer | None = None) -> x509.Certificate:
    key = new_key().public_key()
    return issue_citizen(issuer or cas.issuing, issuance(), key, SUBJECT, ukraine(), ADDRESSES)


def process(issuer: Issuer) -> x509.Certificate:
    return issue_process(issuer, issuance(), new_key().public_key(), NAMES)


def test_authorities_and_registry_are_strictly_right(openssl: OpenSsl, cas: Hierarchy) -> None:
    for issuer in (cas.root, cas.issuing, cas.device, cas.infrastructure):
        assert openssl.accepts(issuer.certificate)
    name = authority_name("Registry", "UA", "Test")
    registry = issue_registry(cas.root, issuance(), new_key().public_key(), name)
    assert openssl.accepts(registry)
    assert not openssl.accepts(registry, "-purpose", "sslserver")
    assert not openssl.accepts(registry, "-purpose", "sslclient")


def test_a_citizen_signs_and_does_not_log_in(openssl: OpenSsl, cas: Hierarchy) -> None:
    certificate = citizen(cas)
    assert openssl.accepts(certificate, "-policy_check")
    assert openssl.accepts(certificate, "-purpose", "smimesign")  # what `openssl cms` asks
    assert not openssl.accepts(certificate, "-purpose", "sslclient")
    assert not openssl.accepts(certificate, "-purpose", "sslserver")
    assert openssl.accepts(
        certificate, "-policy", ukraine().policy_oid, "-explicit_policy", "-policy_check"
    )


def test_a_device_is_a_client_and_no_server(openssl: OpenSsl, cas: Hierarchy) -> None:
    certificate = issue_device(cas.device, issuance(), new_key().public_key())
    assert openssl.accepts(certificate, "-purpose", "sslclient")
    assert not openssl.accepts(certificate, "-purpose", "sslserver")


def test_a_process_is_client_and_server_of_its_names(openssl: OpenSsl, cas: Hierarchy) -> None:
    certificate = process(cas.infrastructure)
    assert openssl.accepts(certificate, "-purpose", "sslclient")
    assert openssl.accepts(certificate, "-purpose", "sslserver")
    for name in ("signer.internal", "localhost"):
        assert openssl.accepts(certificate, "-verify_hostname", name)
    assert openssl.accepts(certificate, "-verify_ip", "127.0.0.1")
    assert not openssl.accepts(certificate, "-verify_hostname", "vault.internal")


def test_a_stolen_device_authority_makes_no_server(openssl: OpenSsl, cas: Hierarchy) -> None:
    assert not openssl.accepts(process(cas.device), "-purpose", "sslserver")


def test_a_stolen_issuing_authority_makes_no_process(openssl: OpenSsl, cas: Hierarchy) -> None:
    assert not openssl.accepts(process(cas.issuing), "-purpose", "sslserver")
    assert not openssl.accepts(process(cas.issuing), "-purpose", "sslclient")


def test_a_stolen_infrastructure_authority_makes_no_signer(
    openssl: OpenSsl, cas: Hierarchy
) -> None:
    assert not openssl.accepts(citizen(cas, cas.infrastructure), "-purpose", "smimesign")


def test_an_authority_makes_no_authority(openssl: OpenSsl, cas: Hierarchy, tmp_path: Path) -> None:
    key = new_key()
    name = authority_name("Sub", "UA", "Test")
    sub = issue_authority(cas.issuing, issuance(), key.public_key(), name, Authority.ISSUING)
    below = issue_device(Issuer(sub, key), issuance(), new_key().public_key())
    with (tmp_path / "chain.pem").open("ab") as chain:
        chain.write(sub.public_bytes(Encoding.PEM))
    assert not openssl.accepts(below)


@pytest.mark.softhsm
async def test_a_token_key_issues_what_openssl_accepts(
    hsm_token: HsmToken, openssl: OpenSsl, cas: Hierarchy, tmp_path: Path
) -> None:
    label = KeyLabel("device-ca")
    public_key = await hsm_token.public_key(label)
    name = authority_name("Device in a token", "UA", "Test")
    ca = issue_authority(cas.root, issuance(), public_key, name, Authority.DEVICE)
    (tmp_path / "chain.pem").write_bytes(ca.public_bytes(Encoding.PEM))

    def work(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        return issue_device(Issuer(ca, key), issuance(), new_key().public_key())

    assert openssl.accepts(await hsm_token.use_key(label, work), "-purpose", "sslclient")
