"""Vaults as processes of their own, and what the signer and a phone do with them."""

import asyncio
import secrets
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from deploy.home import REPOSITORY, Home
from grpc_api.channel import DeviceIdentity, device_channel, device_context
from grpc_api.clients.vault import VaultKeysClient, VaultRelayClient
from grpc_api.credentials import internal_channel
from grpc_api.settings import TlsSettings, load_settings
from hsm_module.settings import VaultSettings
from signer_core.identifiers import RequestId, VaultId
from signer_core.identity.attestation import sign_attestation
from signer_core.ports import RequestRegistration
from signer_core.protocol.request import request_hash
from signer_core.protocol.to_be_signed import make_pkcs10_info
from tests.fakes.vault_phone import Ask, Phone, PhoneSigning
from tests.fakes.vault_world import Item, VaultWorld, signed_attributes


class RelayedLink:
    """A phone's session through TLS inside gRPC inside TLS; the same face as `Connection`."""

    def __init__(self, channel, close, consumed):
        self.channel, self.close, self.consumed = channel, close, consumed

    async def ask(self, message):
        await self.channel.send(message)
        return await self.channel.receive()

    @property
    def task(self):
        return asyncio.ensure_future(self.close())


class Deployment:
    """A made-up deployment: one vault process of it, and who calls it."""

    def __init__(self, home: Home, name: str = "vault") -> None:
        self.home, self.name = home, name
        self.chains = {}  # of the citizens it enrolled, by key id
        self.settings = load_settings(VaultSettings, home.settings(name))
        key = (home.root / "registrar" / "signing-key.pem").read_bytes()
        self.registrar_key = load_pem_private_key(key, None)
        self.root = (home.public / "root.pem").read_bytes()

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "hsm_module", "--config", str(self.home.settings(self.name))],
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

        consumed = {}
        incoming = VaultRelayClient(grpc_channel).connect(records(), consumed.__setitem__)
        pem = phone.device_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = x509.load_der_x509_certificate(phone.certificate).public_bytes(Encoding.PEM)
        context = device_context(DeviceIdentity(chain, pem), self.root)

        async def read() -> bytes:
            return await anext(incoming, b"")

        channel = await device_channel(read, outgoing.put, context, VaultId("vault-1"))

        async def close() -> None:
            await outgoing.put(b"")
            await incoming.aclose()

        return RelayedLink(channel, close, consumed)

    # --- a citizen, by this vault ----------------------------------------------------------------

    async def enrol(self, grpc_channel) -> Phone:
        """Return a phone with a certified key."""
        registrar = VaultWorld(None, "")
        registrar.registrar_key = self.registrar_key
        phone = Phone()
        authorisation = registrar.authorise(phone)
        keys = VaultKeysClient(grpc_channel)
        issued = await keys.issue_device_certificate(authorisation, registrar.device_csr(phone))
        phone.certificate = issued.certificate
        await phone.enrol(await self.link(grpc_channel, phone))
        hashed = request_hash("certificate", authorisation, "", (), "", phone.key_id)
        items = (Item("pkcs10", make_pkcs10_info(phone.share.public_key)),)
        own = Ask(phone.key_id, hashed, items, self.attest(phone, phone.key_id))
        await (await self.signing(grpc_channel, phone, own)).run()
        self.chains[phone.key_id] = await keys.issue_certificate(phone.key_id, authorisation)
        return phone

    async def signing(self, grpc_channel, phone: Phone, ask: Ask) -> PhoneSigning:
        """Begin a session with this vault."""
        return PhoneSigning(phone, await self.link(grpc_channel, phone), ask)

    def registration(self, phone: Phone) -> RequestRegistration:
        return RequestRegistration(
            RequestId(secrets.token_bytes(16)),
            phone.key_id,
            "documentSigning",
            secrets.token_bytes(32),
            (secrets.token_bytes(32),),
            int(datetime.now(UTC).timestamp()) + 30 * 24 * 3600,
        )

    def ask_for(self, phone: Phone, registration: RequestRegistration) -> Ask:
        """Return what an honest phone asks for a registered request."""
        file_hash = registration.file_hashes[0]
        items = (Item("cms", signed_attributes(file_hash, self.chains[phone.key_id].certificate)),)
        attestation = self.attest(phone, registration.request_id)
        return Ask(registration.request_id, registration.request_hash, items, attestation)
