"""A process's own certificate: renewed while it runs, taken up by an orderly restart (ADR 13)."""

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from grpc_api.clients.calls import call
from grpc_api.credentials import address_of_any, internal_channel
from grpc_api.gen.signer.vault.v1 import vault_processes_pb2 as wire
from grpc_api.gen.signer.vault.v1.vault_processes_pb2_grpc import VaultProcessesServiceStub
from grpc_api.settings import TlsSettings
from signer_core.errors import SignerError, UnavailableError, VerificationError
from signer_core.ports import CertificateChain
from signer_core.protocol.renewal import is_due

FIRST_S: Final = 60  # after the start: the vault serves by then
EVERY_S: Final = 24 * 3600
SPREAD_S: Final = 1800  # so that two processes of one kind do not restart at once

Ask = Callable[[x509.Certificate, bytes], Awaitable[CertificateChain]]  # shown, PKCS#10 (DER)

_log = structlog.get_logger(__name__)


def ask_vault(tls: TlsSettings) -> Ask:
    """Return what asks the vault; the connection shows the certificate that is renewed.

    Without an address it is refused: then somebody else renews, as the ceremony does.
    """

    async def ask(_shown: x509.Certificate, csr: bytes) -> CertificateChain:
        if not tls.vault_addresses:
            raise UnavailableError("no vault is named that would renew the certificate")
        address = address_of_any(tls.vault_addresses)
        async with internal_channel(address, "vault.internal", tls) as channel:
            stub = VaultProcessesServiceStub(channel)
            message = wire.RenewProcessCertificateRequest(csr=csr)
            answer = await call(stub.RenewProcessCertificate, message)
        return CertificateChain(answer.certificate, tuple(answer.chain))

    return ask


@asynccontextmanager
async def renewing(tls: TlsSettings, ask: Ask) -> AsyncIterator[None]:
    """Look after the certificate while the block runs; end the process once there is a new one.

    The end is that of SIGTERM: everything is drained, and the supervisor starts the process anew.
    """
    task = asyncio.create_task(_keep(tls, tls.cert.read_bytes(), ask))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def _keep(tls: TlsSettings, loaded: bytes, ask: Ask) -> None:
    wait_s = FIRST_S + secrets.randbelow(SPREAD_S)
    while True:
        await asyncio.sleep(wait_s)
        wait_s = EVERY_S
        try:
            if await renew_if_due(tls, loaded, ask, datetime.now(UTC)):
                break
        except (SignerError, OSError, ValueError) as error:
            _log.error("certificate-not-renewed", error=type(error).__name__)
            wait_s = SPREAD_S
    _log.info("certificate-renewed")
    os.kill(os.getpid(), signal.SIGTERM)


async def renew_if_due(tls: TlsSettings, loaded: bytes, ask: Ask, now: datetime) -> bool:
    """Return whether another certificate than the one loaded (PEM) is there, renewed now if due.

    Raises:
        SignerError: the vault is away, or refuses.
        VerificationError: what came is not on this process's key, or does not end later.
        OSError, ValueError: a file cannot be read or written.
    """
    if tls.cert.read_bytes() != loaded:  # by another process of its kind, or by the ceremony
        return True
    shown = x509.load_pem_x509_certificates(loaded)[0]
    if not is_due(shown.not_valid_after_utc, now):
        return False
    issued = await ask(shown, make_csr(tls.key))
    chain = [x509.load_der_x509_certificate(der) for der in (issued.certificate, *issued.chain)]
    _verify_successor(chain, shown)
    write_whole(tls.cert, b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    return True


def _verify_successor(chain: list[x509.Certificate], shown: x509.Certificate) -> None:
    new = chain[0]
    names = x509.SubjectAlternativeName
    if new.public_key() != shown.public_key() or new.issuer != shown.issuer:
        raise VerificationError("the new certificate is not on this process's key")
    if _value(new, names) != _value(shown, names):
        raise VerificationError("the new certificate has other names")
    if is_due(new.not_valid_after_utc, new.not_valid_before_utc):  # of an authority near its end
        raise UnavailableError("the new certificate would end soon, too: renew the authority")
    new.verify_directly_issued_by(chain[1])


def _value(certificate: x509.Certificate, kind: type[x509.SubjectAlternativeName]) -> object:
    return certificate.extensions.get_extension_for_class(kind).value


def make_csr(path: Path) -> bytes:
    """Return a PKCS#10 (DER) of the key in a PEM file; its subject is empty."""
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise VerificationError("the key of a process is on P-256")
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in the place of another, whole or not at all, with the other's mode."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    mode = path.stat().st_mode & 0o777
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
