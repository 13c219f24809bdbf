"""The vault's listener: its services, for the signer alone, and health."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import grpc
from grpc_health.v1 import health

from grpc_api.channel import vault_context
from grpc_api.credentials import internal_server_credentials
from grpc_api.gen.signer.vault.v1 import vault_pb2
from grpc_api.gen.signer.vault.v1 import vault_pb2_grpc as services
from grpc_api.interceptors.callers import Callers, OnDenied, unrecorded
from grpc_api.server import (
    add_health_and_reflection,
    listen,
    make_internal_server,
    serve_until_stopped,
)
from grpc_api.servers import diagnostics
from grpc_api.servers.diagnostics import Examine, add_diagnostics
from grpc_api.servers.vault_admin import AdminPort, add_vault_admin
from grpc_api.servers.vault_audit import add_vault_audit
from grpc_api.servers.vault_keys import VaultKeysServicer
from grpc_api.servers.vault_login import add_vault_login
from grpc_api.servers.vault_partners import add_vault_partners
from grpc_api.servers.vault_processes import ProcessesPort, add_vault_processes
from grpc_api.servers.vault_relay import VaultRelayServicer
from grpc_api.servers.vault_requests import VaultRequestsServicer
from grpc_api.servers.vault_seals import add_vault_seals
from grpc_api.servers.vault_trust import add_vault_trust
from grpc_api.settings import TlsSettings
from signer_core.audit.ports import VaultAudit
from signer_core.errors import UnavailableError
from signer_core.login.ports import VaultLogin
from signer_core.partners.ports import VaultPartners
from signer_core.ports import VaultKeys, VaultRequests, VaultSessions
from signer_core.seals.ports import VaultSeals
from signer_core.trust.ports import TrustServices

T = TypeVar("T")

SERVICES: Final = tuple(
    service.full_name for service in vault_pb2.DESCRIPTOR.services_by_name.values()
)


@dataclass(frozen=True, slots=True)
class VaultPorts:
    """What the listener serves."""

    sessions: VaultSessions
    requests: VaultRequests
    keys: VaultKeys
    trust: TrustServices
    seals: VaultSeals
    audit: VaultAudit
    login: VaultLogin
    processes: ProcessesPort | None = None  # None where nobody's certificate is renewed
    admin: AdminPort | None = None  # None where no officer is known
    partners: VaultPartners | None = None  # None where there is no registry


@dataclass(frozen=True, slots=True)
class VaultListener:
    """Where, under which certificate, and for whom."""

    address: str  # host:port
    tls: TlsSettings
    device_ca: bytes  # PEM: whose certificates open a phone's channel
    callers: Callers
    on_denied: OnDenied = unrecorded


@dataclass(frozen=True, slots=True)
class VaultServer:
    """The server, listening but not started."""

    server: grpc.aio.Server
    health: health.aio.HealthServicer
    port: int


async def make_vault_server(
    ports: VaultPorts, listener: VaultListener, examine: Examine
) -> VaultServer:
    """Make the server.

    Raises:
        InvalidRequestError, UnavailableError: a file cannot be read, or the address is taken.
    """
    _check_free(listener.address)
    tls = listener.tls
    server = make_internal_server(listener.callers, listener.on_denied)
    inner = vault_context(tls.cert, tls.key, listener.device_ca)
    relay = VaultRelayServicer(ports.sessions, inner)
    services.add_VaultRelayServiceServicer_to_server(relay, server)
    requests = VaultRequestsServicer(ports.requests)
    services.add_VaultRequestsServiceServicer_to_server(requests, server)
    services.add_VaultKeysServiceServicer_to_server(VaultKeysServicer(ports.keys), server)
    audit = add_vault_audit(server, ports.audit)
    add_diagnostics(server, examine)
    trust = add_vault_trust(server, ports.trust)
    seals = add_vault_seals(server, ports.seals)
    login = add_vault_login(server, ports.login)
    more = () if ports.admin is None else add_vault_admin(server, ports.admin)
    if ports.processes is not None:
        more = (*more, *add_vault_processes(server, ports.processes))
    if ports.partners is not None:
        more = (*more, *add_vault_partners(server, ports.partners))
    names = (*SERVICES, *trust, *seals, *login, audit, *more, diagnostics.SERVICE)
    health_servicer = await add_health_and_reflection(server, names)
    port = listen(server, listener.address, internal_server_credentials(tls))
    return VaultServer(server, health_servicer, port)


def _check_free(address: str) -> None:
    """Try the address first: gRPC's own code writes lines of its own to standard error.

    Raises:
        UnavailableError: the address is taken or is none of this machine's.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_server((host, int(port))).close()
    except (OSError, ValueError, OverflowError):
        raise UnavailableError(f"cannot listen on {address}: is it taken?") from None


async def serve_vault(
    vault: VaultServer, fault: Awaitable[T], finish: Callable[[], Awaitable[None]]
) -> T | None:
    """Serve until SIGTERM or SIGINT, or until `fault` has a result; return that.

    After a signal, `finish` ends the judgements under way before anything is cut off.
    """
    serving = asyncio.ensure_future(serve_until_stopped([vault.server], vault.health, finish))
    broken = asyncio.ensure_future(fault)
    await asyncio.wait({serving, broken}, return_when=asyncio.FIRST_COMPLETED)
    if broken.done():
        serving.cancel()
        await vault.server.stop(None)
        return broken.result()
    broken.cancel()
    await serving
    return None
