"""A signer on loopback with real gRPC and TLS, fake neighbours, and phones to call it."""

import json
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from grpc_api import credentials
from grpc_api.channel.contexts import DeviceIdentity
from grpc_api.clients.offers import OffersClient
from grpc_api.clients.phone import PhoneClient
from grpc_api.gen.signer.internal.v1 import signing_pb2_grpc
from grpc_api.gen.signer.phone.v1 import (
    device_pb2,
    device_pb2_grpc,
    enrolment_pb2,
    enrolment_pb2_grpc,
    offers_pb2_grpc,
    relay_pb2_grpc,
    requests_pb2_grpc,
)
from grpc_api.server import (
    add_health_and_reflection,
    listen,
    make_internal_server,
    make_phone_server,
)
from grpc_api.servers.phone_limits import RelayLimits
from grpc_api.settings import TlsSettings
from grpc_api.signer import Followers
from grpc_api.signer_audit import SignerAudit
from grpc_api.signer_parts import (
    Neighbours,
    Parts,
    add_enrolment_service,
    add_internal_services,
    add_phone_services,
)
from signer_core.audit.file_sink import FileSink
from signer_core.audit.keeper import Kept
from signer_core.identifiers import VaultId
from signer_core.partners.directory import PartnerDirectory
from signer_core.pki.process import ProcessNames, issue_process
from signer_core.signing.collect import Collection
from signer_core.storage.engine import make_engine
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.partners import Partners
from tests.fakes.pki import Hierarchy, issuance, make_hierarchy, new_key
from tests.fakes.vault_ports import FakeRegistrar, FakeVault, new_citizen

SIGNER = "signer.internal"
ADDRESS = "https://bank.example/return"
PUBLIC_URL = "https://sign.example"
CALLERS = {
    "signer.internal.v1.SigningService": ["portal.internal", "worker.internal"],
    "signer.internal.v1.OffersService": ["portal.internal"],
    "signer.internal.v1.LoginService": ["portal.internal"],
    "signer.internal.v1.SealService": ["portal.internal", "worker.internal"],
    "signer.internal.v1.AuditService": ["officer.internal"],
    "signer.internal.v1.OutboxService": ["worker.internal"],
    "signer.internal.v1.PartnersService": ["portal.internal"],
    "signer.internal.v1.AdminService": ["officer.internal"],
    "signer.internal.v1.CallbacksService": ["worker.internal"],
    "grpc.health.v1.Health": ["health.internal"],
    "grpc.reflection.v1alpha.ServerReflection": ["portal.internal"],
}


@dataclass
class FixedClock:
    """A clock that goes when the test says so."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self):
        return self.now


@dataclass
class Phone:
    """A device with its own gRPC channel."""

    key: object
    channel: grpc.aio.Channel | None = None
    key_id: bytes = b""

    @property
    def csr(self):
        builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    @property
    def device(self):
        return device_pb2_grpc.DeviceServiceStub(self.channel)

    @property
    def requests(self):
        return requests_pb2_grpc.RequestsServiceStub(self.channel)

    @property
    def results(self):
        return requests_pb2_grpc.ResultsServiceStub(self.channel)

    @property
    def offers(self):
        return offers_pb2_grpc.OffersServiceStub(self.channel)

    @property
    def client(self):
        """What the phone's own library calls with."""
        return PhoneClient(self.channel)

    @property
    def relay(self):
        return relay_pb2_grpc.RelayServiceStub(self.channel)


@dataclass
class World:
    """Everything a test touches."""

    folder: Path
    hierarchy: Hierarchy
    clock: FixedClock
    vault: FakeVault
    registrar: FakeRegistrar
    parts: Parts
    collection: Collection
    stack: AsyncExitStack
    ports: dict = field(default_factory=dict)

    @property
    def root_pem(self):
        return pem(self.hierarchy.root.certificate)

    def tls(self, *dns):
        """Write the certificate of a process and return where it is."""
        issuer, key = self.hierarchy.infrastructure, new_key()
        names = ProcessNames((*dns, "localhost"))
        certificate = issue_process(issuer, issuance(), key.public_key(), names)
        folder = self.folder / dns[0]
        folder.mkdir(exist_ok=True)
        (folder / "cert.pem").write_bytes(pem(certificate) + pem(issuer.certificate))
        (folder / "key.pem").write_bytes(key_pem(key))
        (folder / "ca.pem").write_bytes(self.root_pem)
        return TlsSettings(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")

    async def internal(self, name="portal.internal", tls=None):
        """Connect a process to the internal listener."""
        tls = tls or self.tls(name)
        return await self._enter(credentials.internal_channel(self._at("internal"), SIGNER, tls))

    async def signing(self, name="portal.internal"):
        return signing_pb2_grpc.SigningServiceStub(await self.internal(name))

    async def offers(self, name="portal.internal"):
        return OffersClient(await self.internal(name))

    async def enrolment_channel(self):
        """Connect somebody without a certificate."""
        return await self._enter(
            credentials.enrolment_channel(self._at("enrolment"), SIGNER, self.root_pem)
        )

    async def enrolment(self):
        return enrolment_pb2_grpc.EnrolmentServiceStub(await self.enrolment_channel())

    async def phone_channel(self, key, *certificates):
        chain = b"".join(map(pem, certificates))
        identity = DeviceIdentity(certificate_chain=chain, private_key=key_pem(key))
        return await self._enter(
            credentials.device_grpc_channel(self._at("phone"), SIGNER, identity, self.root_pem)
        )

    async def enrol(self, phone=None, code=None):
        """Enrol a phone's device key; the user key has no certificate yet."""
        phone = phone or Phone(new_key())
        answer = await (await self.enrolment()).BeginEnrolment(
            enrolment_pb2.BeginEnrolmentRequest(
                activation_code=code or secrets.token_hex(8), device_csr=phone.csr, photo=b"photo"
            )
        )
        chain = (answer.device_certificate, *answer.device_chain)
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        phone.channel = await self.phone_channel(phone.key, *certificates)
        phone.key_id = answer.key_id
        return phone

    async def person(self, person_code="1234567899"):
        """Enrol a phone to the end: its key has a certificate."""
        phone = await self.enrol()
        citizen = new_citizen(self.clock.now, person_code)
        self.vault.citizens[phone.key_id] = citizen
        await phone.device.IssueCertificate(
            device_pb2.IssueCertificateRequest(authorisation="authorisation")
        )
        return phone

    def _at(self, listener):
        return f"127.0.0.1:{self.ports[listener]}"

    async def _enter(self, channel):
        return await self.stack.enter_async_context(channel)


@asynccontextmanager
async def open_world(
    folder: Path, url: str, limits: RelayLimits | None = None
) -> AsyncIterator[World]:
    """Serve a signer over a migrated database."""
    hierarchy, clock = make_hierarchy(), FixedClock()
    vault, registrar = FakeVault(hierarchy, clock), FakeRegistrar(clock)
    engine = make_engine(url)
    with ThreadPoolExecutor(1) as executor:
        neighbours = Neighbours(
            registrar,
            vault,
            vault,
            vault.relay,
            VaultId("vault-1"),
            vault,
            vault.audit,
            vault.officers,
            seals=vault.seals,
            login=vault.login,
            partners=vault.partners,
        )
        parts = Parts(
            engine=engine,
            neighbours=neighbours,
            relying_parties=PartnerDirectory(Partners(engine), vault.partners.key.public_key()),
            trust_roots=TrustRoots(vault),
            issuers=(hierarchy.issuing.certificate.public_bytes(Encoding.DER),),
            executor=executor,
            clock=clock,
            audit=make_audit(folder, url, engine, vault.audit, clock),
            registrar_key=registrar.key.public_key(),
            public_url=PUBLIC_URL,
            limits=limits or RelayLimits(),
            has_sandbox=True,
        )
        await parts.partners().following.follow_all()
        async with AsyncExitStack() as stack:
            collection = parts.collection()
            world = World(folder, hierarchy, clock, vault, registrar, parts, collection, stack)
            async with _served(world):
                yield world
                await stack.aclose()
    await engine.dispose()


def make_audit(folder, url, engine, vault, clock):
    outbox, sink = AuditOutbox(engine, clock), FileSink(folder / "audit")
    return SignerAudit(Kept(engine, outbox, vault, "vault-1", sink, clock), url)


class TrustRoots(list):
    """The roots of all citizens a fake vault knows now."""

    def __init__(self, vault):
        super().__init__()
        self._vault = vault

    def __iter__(self):
        return (root for one in self._vault.citizens.values() for root in one.trust_roots)

    def __contains__(self, der):
        return der in tuple(self)


@asynccontextmanager
async def _served(world):
    tls = world.tls(SIGNER)
    followers = Followers(world.collection)
    audit = world.parts.audit
    phones, enrolment = make_phone_server(audit.admit), make_phone_server(audit.admit)
    internal = make_internal_server(CALLERS, audit.on_denied, audit.kept.gate.verify_open)
    add_phone_services(phones, world.parts, world.collection, followers.start)
    add_enrolment_service(enrolment, world.parts)
    names = add_internal_services(internal, world.parts, world.collection)
    await add_health_and_reflection(internal, names)
    device_ca = pem(world.hierarchy.device.certificate)
    listeners = {
        "phone": (phones, credentials.phone_server_credentials(tls, device_ca)),
        "enrolment": (enrolment, credentials.enrolment_server_credentials(tls)),
        "internal": (internal, credentials.internal_server_credentials(tls)),
    }
    for name, (server, secret) in listeners.items():
        world.ports[name] = listen(server, "127.0.0.1:0", secret)
        await server.start()
    try:
        yield
    finally:
        for server, _ in listeners.values():
            await server.stop(None)
        await followers.stop()
        audit.kept.sink.close()


def pem(certificate):
    return certificate.public_bytes(Encoding.PEM)


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def key_pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def as_json(records):
    return json.dumps(records)
