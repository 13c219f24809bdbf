"""The signer process: three listeners, one database, clients of vault and registrar."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, cast

import grpc
import structlog
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_public_key
from grpc_health.v1 import health
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_api.clients.registrar import RegistrarClient
from grpc_api.clients.trust import VaultTrustClient
from grpc_api.clients.vault import VaultKeysClient, VaultRelayClient, VaultRequestsClient
from grpc_api.clients.vault_admin import OfficerTableClient
from grpc_api.clients.vault_audit import VaultAuditClient
from grpc_api.clients.vault_login import VaultLoginClient
from grpc_api.clients.vault_partners import VaultPartnersClient
from grpc_api.clients.vault_seals import VaultSealsClient
from grpc_api.credentials import (
    address_of_any,
    enrolment_server_credentials,
    internal_channel,
    internal_server_credentials,
    phone_server_credentials,
)
from grpc_api.diagnostics import Surroundings
from grpc_api.logs import configure_logs
from grpc_api.process_certificate import ask_vault, renewing
from grpc_api.server import (
    add_health_and_reflection,
    listen,
    make_internal_server,
    make_phone_server,
    say,
    serve_until_stopped,
)
from grpc_api.servers import diagnostics
from grpc_api.servers.diagnostics import add_diagnostics
from grpc_api.servers.phone_relay import Relay
from grpc_api.settings import TlsSettings, load_settings
from grpc_api.signer_audit import SignerAudit
from grpc_api.signer_neighbours import check_neighbours
from grpc_api.signer_parts import (
    Neighbours,
    Parts,
    add_enrolment_service,
    add_internal_services,
    add_phone_services,
)
from grpc_api.telemetry import telemetry
from signer_core.audit.file_sink import FileSink
from signer_core.audit.keeper import Kept
from signer_core.audit.ports import VaultAudit
from signer_core.callbacks.making import CallbackMaking
from signer_core.callbacks.signature import read_callback_key
from signer_core.errors import InvalidRequestError, SignerError, UnavailableError
from signer_core.identifiers import RequestId, VaultId
from signer_core.partners.directory import PartnerDirectory
from signer_core.pki.authority import Authority
from signer_core.ports import SignedItem
from signer_core.signing.collect import Collection
from signer_core.signing.relying_parties import registry_key
from signer_core.storage.engine import make_engine, upgrade
from signer_core.storage.signer.announcements import Announcements
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.callbacks import Callbacks
from signer_core.storage.signer.partners import Partners
from signer_core.storage.signer.schema import MIGRATIONS

_SWEEP_S: Final = 60.0  # how long a suspended partner may go on with what it had begun

log = structlog.get_logger()


class SignerSettings(BaseModel, frozen=True, extra="forbid"):
    """One field a line of `deploy/examples/signer.example.toml`, in the same order."""

    phone_listen: str  # host:port, mutual TLS with devices
    enrolment_listen: str  # host:port, the server's certificate only
    internal_listen: str  # host:port, mutual TLS with processes
    database_url: str
    vault_addresses: tuple[str, ...] = Field(min_length=1)  # host:port; of several, IP addresses
    vault_id: VaultId
    registrar_address: str  # host:port
    registry_cert: Path  # PEM: signs the records of relying parties
    registrar_key: Path  # PEM: the public key that attests photos
    ca_chain: Path  # PEM: issuing, device and infrastructure CA
    root: Path  # PEM
    public_url: str = Field(pattern=r"^https?://[^/]+$")  # of the portal: links of offers
    callback_key: Path  # PEM, mode 0600: signs what partners are told
    audit_folder: Path  # of the audit log's second copy: another disk than the database's
    sandbox: bool = False  # developers may make partners of their own, called made up
    pdf_threads: int = 2  # that prepare and finish PDFs
    log_file: Path | None = None  # stderr if absent
    metrics_listen: str = ""  # host:port on loopback, for Prometheus; empty: off
    otlp_endpoint: str = ""  # http(s)://host:port of an OpenTelemetry collector; empty: off
    tls: TlsSettings
    callers: Mapping[str, tuple[str, ...]]  # service: DNS names of those who may call it


class Followers:
    """Collections that go on after a phone hung up. Mutable: it holds what is running."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._running: set[asyncio.Task[None]] = set()

    def start(self, request_id: RequestId, signed: tuple[SignedItem, ...] | None) -> None:
        """Collect this request in the background; `signed` if the vault has said so already."""
        task = asyncio.create_task(self._collection.follow(request_id, signed))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def stop(self) -> None:
        """Drop what is running; the next start collects it."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)


def run(config: Path) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        InvalidRequestError: the settings, or a file they name, are not what they must be.
        UnavailableError: the database or an address cannot be used.
    """
    settings = load_settings(SignerSettings, config)
    configure_logs("signer", settings.log_file)
    with telemetry("signer", settings.metrics_listen, settings.otlp_endpoint):
        uvloop.run(_serve(settings))


async def _serve(settings: SignerSettings) -> None:
    await upgrade(settings.database_url, MIGRATIONS)
    async with _parts(settings) as parts:
        collection = parts.collection()
        followers = Followers(collection)
        background = {asyncio.create_task(parts.recovery(collection).run())}
        if parts.engine.dialect.name == "postgresql":
            announcements = Announcements(parts.engine, parts.notices)
            background.add(asyncio.create_task(announcements.run()))
        try:
            await parts.audit.start(version("diia-signer"))
            servers, health_servicer, services = await _servers(
                settings, parts, collection, followers
            )
            background.add(asyncio.create_task(_sweep_partners(parts)))
            background.add(asyncio.create_task(_say_serving(parts, health_servicer, services)))
            async with renewing(settings.tls, ask_vault(settings.tls)):
                await serve_until_stopped(servers, health_servicer)
        finally:
            await parts.audit.stop()
            for task in background:
                task.cancel()
            await asyncio.wait(background)
            await followers.stop()


@asynccontextmanager
async def _parts(settings: SignerSettings) -> AsyncIterator[Parts]:
    async with AsyncExitStack() as stack:
        callback_key = read_callback_key(settings.callback_key)
        engine = make_engine(settings.database_url)
        stack.push_async_callback(engine.dispose)
        executor = stack.enter_context(ThreadPoolExecutor(settings.pdf_threads, "pdf"))
        vault = await stack.enter_async_context(
            internal_channel(
                address_of_any(settings.vault_addresses), "vault.internal", settings.tls
            )
        )
        registrar = await stack.enter_async_context(
            internal_channel(settings.registrar_address, "registrar.internal", settings.tls)
        )
        others = neighbours(vault, registrar, settings.vault_id)
        yield Parts(
            engine=engine,
            neighbours=others,
            relying_parties=PartnerDirectory(
                Partners(engine), registry_key(read_pem(settings.registry_cert))
            ),
            trust_roots=tuple(c.public_bytes(Encoding.DER) for c in read_pem(settings.root)),
            issuers=tuple(c.public_bytes(Encoding.DER) for c in read_pem(settings.ca_chain)),
            executor=executor,
            clock=utc_now,
            audit=make_audit(settings, engine, others.audit),
            registrar_key=read_public_key(settings.registrar_key),
            public_url=settings.public_url,
            has_sandbox=settings.sandbox,
            approved=[CallbackMaking(Callbacks(engine), callback_key, utc_now)],
        )


def make_audit(settings: SignerSettings, engine: AsyncEngine, vault: VaultAudit) -> SignerAudit:
    """Open the audit log.

    Raises:
        UnavailableError: its folder cannot be written, or another process writes it.
    """
    kept = Kept(
        engine=engine,
        outbox=AuditOutbox(engine, utc_now),
        vault=vault,
        vault_id=settings.vault_id,
        sink=FileSink(settings.audit_folder),
        clock=utc_now,
    )
    return SignerAudit(kept, settings.database_url)


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def neighbours(
    vault: grpc.aio.Channel, registrar: grpc.aio.Channel, vault_id: VaultId
) -> Neighbours:
    """See the other processes through gRPC."""
    return Neighbours(
        registrar=RegistrarClient(registrar),
        requests=VaultRequestsClient(vault),
        keys=VaultKeysClient(vault),
        relay=cast("Relay", VaultRelayClient(vault).connect),  # a generator: it can be closed
        vault_id=vault_id,
        trust=VaultTrustClient(vault),
        seals=VaultSealsClient(vault),
        login=VaultLoginClient(vault),
        partners=VaultPartnersClient(vault),
        audit=VaultAuditClient(vault),
        officers=OfficerTableClient(vault),
        reached=vault.channel_ready,
    )


async def _servers(
    settings: SignerSettings, parts: Parts, collection: Collection, followers: Followers
) -> tuple[tuple[grpc.aio.Server, ...], health.aio.HealthServicer, tuple[str, ...]]:
    audit = parts.audit
    phones, enrolment = make_phone_server(audit.admit), make_phone_server(audit.admit)
    internal = make_internal_server(settings.callers, audit.on_denied, audit.kept.gate.verify_open)
    add_phone_services(phones, parts, collection, followers.start)
    add_enrolment_service(enrolment, parts)
    services = add_internal_services(internal, parts, collection)
    surroundings = Surroundings(
        "signer", parts.engine, settings.database_url, MIGRATIONS, settings.tls
    )
    add_diagnostics(
        internal,
        lambda: surroundings.examine({**check_neighbours(parts.neighbours), **audit.checks()}),
    )
    names = (*services, diagnostics.SERVICE)
    health_servicer = await add_health_and_reflection(internal, names, serving=False)
    device_ca = find_device_ca(read_pem(settings.ca_chain)).public_bytes(Encoding.PEM)
    listen(phones, settings.phone_listen, phone_server_credentials(settings.tls, device_ca))
    listen(enrolment, settings.enrolment_listen, enrolment_server_credentials(settings.tls))
    listen(internal, settings.internal_listen, internal_server_credentials(settings.tls))
    return (phones, enrolment, internal), health_servicer, names


async def _say_serving(
    parts: Parts, health_servicer: health.aio.HealthServicer, services: Sequence[str]
) -> None:
    """Say it when the vault is connected and has told who the partners are.

    What asked before would be told to come again.
    """
    await parts.neighbours.reached()
    await _follow_partners(parts)
    await say(health_servicer, services, serving=True)


async def _follow_partners(parts: Parts) -> None:
    while True:
        try:
            return await parts.partners().following.follow_all()
        except UnavailableError:  # it went away again
            await asyncio.sleep(1)


async def _sweep_partners(parts: Parts) -> None:
    """What was being made while its partner was suspended is withdrawn within a minute."""
    while True:
        await asyncio.sleep(_SWEEP_S)
        with suppress(SignerError):  # the vault or the database is away: next time
            await parts.partners().following.sweep()


def find_device_ca(chain: list[x509.Certificate]) -> x509.Certificate:
    """Return the one authority whose certificates are for devices only.

    Raises:
        InvalidRequestError: there is none, or more than one.
    """
    found = [c for c in chain if _usages(c) == set(Authority.DEVICE.value)]
    if len(found) != 1:
        raise InvalidRequestError("the CA chain has not exactly one device CA")
    return found[0]


def _usages(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    try:
        return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return set()


def read_pem(path: Path) -> list[x509.Certificate]:
    """Read certificates, at least one.

    Raises:
        InvalidRequestError: the file is missing or malformed.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        raise InvalidRequestError(f"{path} has no readable certificates") from None


def read_public_key(path: Path) -> ec.EllipticCurvePublicKey:
    """Read a P-256 public key (PEM).

    Raises:
        InvalidRequestError: there is none.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        raise InvalidRequestError(f"{path} holds no readable public key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise InvalidRequestError(f"the public key in {path} is not on P-256")
    return key
