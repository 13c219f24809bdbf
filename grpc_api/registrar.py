"""The registrar process: one listener, its database, its signing key, the sandbox of people."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import grpc
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from grpc_health.v1 import health
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_api.credentials import internal_server_credentials
from grpc_api.diagnostics import Surroundings
from grpc_api.gen.signer.registrar.v1.registrar_pb2_grpc import (
    add_RegistrarServiceServicer_to_server,
    add_SandboxServiceServicer_to_server,
)
from grpc_api.logs import configure_logs
from grpc_api.process_certificate import ask_vault, renewing
from grpc_api.server import (
    add_health_and_reflection,
    listen,
    make_internal_server,
    serve_until_stopped,
)
from grpc_api.servers import diagnostics
from grpc_api.servers.diagnostics import add_diagnostics
from grpc_api.servers.registrar import RegistrarServicer, SandboxServicer
from grpc_api.settings import TlsSettings, load_settings
from grpc_api.telemetry import telemetry
from signer_core.errors import InvalidRequestError
from signer_core.identity.activation import Activation, derive_hash_key
from signer_core.identity.registrar import PeopleRegistrar
from signer_core.identity.sandbox.people import Sandbox, load_people
from signer_core.storage.engine import make_engine, upgrade
from signer_core.storage.registrar.tables import MIGRATIONS

SERVICES = ("signer.registrar.v1.RegistrarService", "signer.registrar.v1.SandboxService")


class RegistrarSettings(BaseModel, frozen=True, extra="forbid"):
    """One field a line of `deploy/examples/registrar.example.toml`, in the same order."""

    listen: str  # host:port
    database_url: str
    signing_key: Path  # PEM, P-256, mode 0600
    log_file: Path | None = None  # stderr if absent
    metrics_listen: str = ""  # host:port on loopback, for Prometheus; empty: off
    otlp_endpoint: str = ""  # http(s)://host:port of an OpenTelemetry collector; empty: off
    tls: TlsSettings
    callers: Mapping[str, tuple[str, ...]]  # service: DNS names of those who may call it


def run(config: Path) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        InvalidRequestError: the settings, or a file they name, are not what they must be.
        UnavailableError: the database or the address cannot be used.
    """
    settings = load_settings(RegistrarSettings, config)
    configure_logs("registrar", settings.log_file)
    with telemetry("registrar", settings.metrics_listen, settings.otlp_endpoint):
        uvloop.run(_serve(settings))


async def _serve(settings: RegistrarSettings) -> None:
    key = load_signing_key(settings.signing_key)
    await upgrade(settings.database_url, MIGRATIONS)
    engine = make_engine(settings.database_url)
    try:
        server, health_servicer = await make_server(settings, engine, key)
        listen(server, settings.listen, internal_server_credentials(settings.tls))
        async with renewing(settings.tls, ask_vault(settings.tls)):
            await serve_until_stopped([server], health_servicer)
    finally:
        await engine.dispose()


async def make_server(
    settings: RegistrarSettings, engine: AsyncEngine, key: ec.EllipticCurvePrivateKey
) -> tuple[grpc.aio.Server, health.aio.HealthServicer]:
    """Put the registrar together, without a listener yet; return its health too."""
    sandbox = Sandbox(load_people())
    activation = Activation(engine, derive_hash_key(key), secrets.choice)
    registrar = PeopleRegistrar(
        activation=activation,
        identity=sandbox,
        photos=sandbox,
        key=key,
        now=_now,
        random_bytes=secrets.token_bytes,
    )
    servicer = SandboxServicer(sandbox, activation, lambda: int(_now().timestamp()))
    server = make_internal_server(settings.callers)
    add_RegistrarServiceServicer_to_server(RegistrarServicer(registrar), server)
    add_SandboxServiceServicer_to_server(servicer, server)
    surroundings = Surroundings(
        "registrar", engine, settings.database_url, MIGRATIONS, settings.tls
    )
    add_diagnostics(server, lambda: surroundings.examine({}))
    return server, await add_health_and_reflection(server, (*SERVICES, diagnostics.SERVICE))


def load_signing_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read the registrar's signing key.

    Raises:
        InvalidRequestError: the file cannot be read, others may read it, or it is no P-256 key.
    """
    try:
        mode, data = path.stat().st_mode, path.read_bytes()
    except OSError:
        raise InvalidRequestError(f"the signing key {path} cannot be read") from None
    if mode & 0o077:
        raise InvalidRequestError(f"others may read the signing key {path}: chmod 600 it")
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError):
        raise InvalidRequestError(f"{path} is no private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise InvalidRequestError(f"{path} is no key on P-256")
    return key


def _now() -> datetime:
    return datetime.now(UTC)
