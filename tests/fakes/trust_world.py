"""The trust services of a vault in a test, and other people's tools that judge their answers."""

import secrets
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from hsm_module.certificates import CertificateOffice
from hsm_module.seals.office import SealOffice
from hsm_module.seals.rules import SealRules
from hsm_module.trust.context import TrustContext
from hsm_module.trust.own_certificates import OwnCertificates
from hsm_module.trust.services import VaultTrust
from signer_core.pki.citizen import Addresses
from tests.fakes.pki import ukraine
from tests.fakes.vault_world import VaultProcess, VaultWorld

ADDRESSES = Addresses("http://crl.example/a", "http://ocsp.example/", "http://ca.example/a")


class TrustInTest(VaultTrust):
    """Answers one request, too: what most tests ask."""

    async def answer_ocsp(self, request: bytes) -> bytes:
        (answer,) = await self.answer_ocsps([request])
        return answer


def make_trust(world: VaultWorld, process: VaultProcess | None = None, **more) -> "TrustInTest":
    """Put together the trust services of a vault process."""
    store = (process or world.vault).context.store
    now = world.clock.now
    own = OwnCertificates(store, world.token, world.authorities.issuing, now)
    return TrustInTest(
        TrustContext(
            store, world.token, world.authorities, own, ADDRESSES, now, secrets.token_bytes
        ),
        **more,
    )


def make_seals(world: VaultWorld) -> SealOffice:
    """Put together the seals of a vault."""
    store, now = world.vault.context.store, world.clock.now
    office = CertificateOffice(world.token, world.authorities, ukraine(), ADDRESSES, now)
    own = OwnCertificates(store, world.token, world.authorities.issuing, now)
    return SealOffice(store, world.token, SealRules(store), own, office)


async def certificate_of(world: VaultWorld, phone) -> x509.Certificate:
    chain = await world.vault.keys.issue_certificate(phone.key_id, phone.authorisation)
    return x509.load_der_x509_certificate(chain.certificate)


def ask_ocsp(certificate, issuer, algorithm=None, nonce=None) -> bytes:
    """Return a request in DER."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate, issuer, algorithm or hashes.SHA1()
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def read_ocsp(answer: bytes) -> ocsp.OCSPResponse:
    return ocsp.load_der_ocsp_response(answer)


def write_pem(path: Path, *certificates: x509.Certificate) -> Path:
    path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
    return path


def openssl(*arguments: object, code: int = 0) -> str:
    """Run openssl, expect this exit code, return what it said."""
    command = ["openssl", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    said = done.stdout + done.stderr
    assert done.returncode == code, said
    return said
