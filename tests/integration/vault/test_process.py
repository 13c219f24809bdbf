"""The vault as a process of its own: SoftHSM, mutual TLS, the phone's channel inside the relay."""

import asyncio
import secrets
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from deploy import setup
from deploy.home import REPOSITORY, Home
from grpc_api.channel import DeviceIdentity, device_channel, device_context
from grpc_api.clients.vault import VaultKeysClient, VaultRelayClient, VaultRequestsClient
from grpc_api.credentials import internal_channel
from grpc_api.settings import TlsSettings, load_settings
from hsm_module.settings import VaultSettings
from signer_core.errors import DeniedError, PinRejectedError
from signer_core.identifiers import RequestId, VaultId
from signer_core.identity.attestation import sign_attestation
from signer_core.ports import RequestRegistration, RequestState
from signer_core.protocol.curve import Scalar
from signer_core.protocol.request import request_hash
from signer_core.protocol.to_be_signed import make_pkcs10_info
from signer_core.protocol.transcript import Q
from tests.fakes.vault_phone import Ask, Phone, PhoneSigning
from tests.fakes.vault_world import Item, VaultWorld, signed_attributes

pytestmark = pytest.mark.softhsm


class RelayedLink:
    """A phone's session through TLS inside gRPC inside TLS; the same face as `Connection`."""

    def __init__(self, channel, close):
        self.channel, self.close = channel, close

    async def ask(self, message):
        await self.channel.send(message)
        return await self.channel.receive()

    @property
    def task(self):
        return asyncio.ensure_future(self.close())


class Deployment:
    """A made-up deployment, its vault's address, and what the signer and a phone do with it."""

    def __init__(self, home: Home, settings: VaultSettings) -> None:
        self.home, self.settings = home, settings
        key = (home.root / "registrar" / "signing-key.pem").read_bytes()
        self.registrar_key = load_pem_private_key(key, None)
        self.root = (home.public / "root.pem").read_bytes()

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "hsm_module", "--config", str(self.home.settings("vault"))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )

    @asynccontextmanager
    async def running(self):
        process = self.start()
        try:
            await self.wait_until_listening(process)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            self.said = process.communicate(timeout=30)
        assert process.returncode == 0

    async def wait_until_listening(self, process) -> None:
        host, port = self.settings.listen.split(":")
        for _ in range(300):
            assert process.poll() is None, process.stderr.read()
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    return
            await asyncio.sleep(0.1)
        raise AssertionError("the vault did not listen")

    def grpc(self, caller: str = "signer"):
        tls = self.home.root / caller / "tls"
        files = TlsSettings(cert=tls / "cert.pem", key=tls / "key.pem", ca=tls / "ca.pem")
        return internal_channel(self.settings.listen, "vault.internal", files)

    def attest(self, phone: Phone, request_id: bytes) -> str:
        return sign_attestation(
            phone.key_hash, RequestId(request_id), datetime.now(UTC), self.registrar_key
        )

    async def link(self, grpc_channel, phone: Phone) -> RelayedLink:
        outgoing: asyncio.Queue[bytes] = asyncio.Queue()

        async def records():
            while chunk := await outgoing.get():
                yield chunk

        incoming = VaultRelayClient(grpc_channel).connect(records())
        pem = phone.device_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = x509.load_der_x509_certificate(phone.certificate).public_bytes(Encoding.PEM)
        context = device_context(DeviceIdentity(chain, pem), self.root)

        async def read() -> bytes:
            return await anext(incoming, b"")

        channel = await device_channel(read, outgoing.put, context, VaultId("vault-1"))

        async def close() -> None:
            await outgoing.put(b"")
            await incoming.aclose()

        return RelayedLink(channel, close)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory) -> Deployment:
    home = Home(tmp_path_factory.mktemp("deployment"))
    setup.prepare(home, lambda line: None)
    return Deployment(home, load_settings(VaultSettings, home.settings("vault")))


async def test_a_key_is_enrolled_certified_and_signs_through_the_process(deployment):
    registrar = VaultWorld(None, "")
    registrar.registrar_key = deployment.registrar_key
    phone = Phone()
    authorisation = registrar.authorise(phone)
    async with deployment.running(), deployment.grpc() as grpc_channel:
        keys, requests = VaultKeysClient(grpc_channel), VaultRequestsClient(grpc_channel)
        issued = await keys.issue_device_certificate(authorisation, registrar.device_csr(phone))
        phone.certificate = issued.certificate
        await phone.enrol(await deployment.link(grpc_channel, phone))
        hashed = request_hash("certificate", authorisation, "", (), "", phone.key_id)
        own = Ask(
            phone.key_id,
            hashed,
            (Item("pkcs10", make_pkcs10_info(phone.share.public_key)),),
            deployment.attest(phone, phone.key_id),
        )
        await PhoneSigning(phone, await deployment.link(grpc_channel, phone), own).run()
        chain = await keys.issue_certificate(phone.key_id, authorisation)
        registration = RequestRegistration(
            RequestId(secrets.token_bytes(16)),
            phone.key_id,
            "documentSigning",
            secrets.token_bytes(32),
            (secrets.token_bytes(32),),
            int(datetime.now(UTC).timestamp()) + 3600,
        )
        await requests.register(registration)
        items = (Item("cms", signed_attributes(registration.file_hashes[0], chain.certificate)),)
        ask = Ask(
            registration.request_id,
            registration.request_hash,
            items,
            deployment.attest(phone, registration.request_id),
        )
        wrong = PhoneSigning(phone, await deployment.link(grpc_channel, phone), ask)
        await wrong.to_openings()
        with pytest.raises(PinRejectedError) as rejected:
            await wrong.sign(Scalar((phone.x2 + 1) % Q))
        assert rejected.value.attempts_left == 8
        await PhoneSigning(phone, await deployment.link(grpc_channel, phone), ask).run()
    async with deployment.running(), deployment.grpc() as grpc_channel:  # a restart forgets nothing
        result = await VaultRequestsClient(grpc_channel).result(registration.request_id)
        certificate = x509.load_der_x509_certificate(chain.certificate)
        assert result.state is RequestState.CONSUMED
        certificate.public_key().verify(
            result.items[0].signature, items[0].data, ec.ECDSA(SHA256())
        )


async def test_only_the_signer_may_call(deployment):
    async with deployment.running(), deployment.grpc("portal") as grpc_channel:
        with pytest.raises(DeniedError):
            await VaultRequestsClient(grpc_channel).result(RequestId(bytes(16)))


def refusal(deployment: Deployment) -> str:
    process = deployment.start()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    (line,) = said.strip().splitlines()
    return line


def test_a_taken_port_is_one_clear_line(deployment):
    host, port = deployment.settings.listen.split(":")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((host, int(port)))
        taken.listen()
        assert "cannot listen" in refusal(deployment)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("session_ttl_s = ", "no_such_setting = ", "session_ttl_s"),
        ("listen = ", "listen ", "TOML"),
        ("registrar.pem", "root.pem", "public key"),
        ("registrar.pem", "missing.pem", "cannot be read"),
        ("ca-chain.pem", "root.pem", "not one"),
        ("vault.db", "no/such/folder/vault.db", "database"),
    ],
)
def test_broken_settings_are_one_clear_line(deployment, old, new, word):
    path: Path = deployment.home.settings("vault")
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1))
    try:
        assert word in refusal(deployment)
    finally:
        path.write_text(before)


def test_the_example_settings_load():
    example = REPOSITORY / "deploy" / "examples" / "vault.example.toml"
    assert load_settings(VaultSettings, example).vault_id == "vault-1"
