"""docs/flows/seals.md: the portal's seal, made by the real processes, judged by pyHanko."""

import asyncio
import hashlib
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from deploy.system import System
from grpc_api.clients.seals import SealClient
from grpc_api.credentials import internal_channel
from grpc_api.settings import TlsSettings
from signer_core.documents import SealStamp
from signer_core.errors import DeniedError, UnavailableError
from signer_core.seals.model import FileToSeal, Level
from tests.fakes.ades import document_timestamps, is_of_level

pytestmark = [pytest.mark.e2e, pytest.mark.softhsm]

T = TypeVar("T")
WAIT_S = 60
MARK = SealStamp("Вигадана справа", "Договір", "1", "https://portal.example/check/1")


def as_process(system: System, name: str, ask: Callable[[SealClient], Awaitable[T]]) -> T:
    folder = system.home.root / name / "tls"
    tls = TlsSettings(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")

    async def call() -> T:
        address = f"127.0.0.1:{system.ports['internal']}"
        async with internal_channel(address, "signer.internal", tls) as channel:
            while True:  # on a busy machine the signer may not have found its vault yet
                try:
                    return await ask(SealClient(channel))
                except UnavailableError:
                    await asyncio.sleep(0.5)

    return asyncio.run(asyncio.wait_for(call(), WAIT_S))


@pytest.fixture(scope="module")
def root(system: System) -> bytes:
    pem = (system.home.public / "root.pem").read_bytes()
    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def test_a_stamped_copy_is_sealed_for_years(system: System, root: bytes, contract: bytes) -> None:
    files = [FileToSeal(contract, MARK)]
    (sealed,) = as_process(system, "portal", lambda c: c.seal_pdfs("portal", Level.B_LTA, files))
    assert sealed.level.reached is Level.B_LTA
    assert document_timestamps(sealed.pdf) == 1
    assert asyncio.run(is_of_level(sealed.pdf, root, Level.B_LTA))


def test_json_is_sealed_and_openssl_agrees(system: System, root: bytes, tmp_path: Path) -> None:
    text = '{"b":2,"a":"ґ"}'.encode()
    (seal,) = as_process(system, "portal", lambda c: c.seal_json("portal", Level.B_T, [text]))
    canonical = '{"a":"ґ","b":2}'.encode()
    assert seal.sha256 == hashlib.sha256(canonical).digest()
    (tmp_path / "content").write_bytes(canonical)
    (tmp_path / "seal").write_bytes(seal.cms)
    pem = x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM)
    (tmp_path / "root.pem").write_bytes(pem)
    command = "openssl cms -verify -cades -binary -inform DER -in seal -content content"
    against = ["-CAfile", "root.pem", "-purpose", "any", "-out", "verified"]
    subprocess.run([*command.split(), *against], cwd=tmp_path, check=True, capture_output=True)


def test_the_worker_has_no_seal(system: System) -> None:
    with pytest.raises(DeniedError, match="may not use this seal"):
        as_process(system, "worker", lambda c: c.seal_json("portal", Level.B_B, [b"{}"]))
