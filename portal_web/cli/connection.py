"""Where the system of this machine is, and how a developer's tool calls it."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grpc_api.clients.diagnostics import DiagnosticsClient
from grpc_api.clients.offers import OffersClient
from grpc_api.clients.partners import PartnersClient
from grpc_api.clients.registrar import SandboxClient
from grpc_api.clients.signing import SigningClient
from grpc_api.credentials import TlsFiles, internal_channel
from signer_core.errors import UnavailableError

# Where `ports.json` says nothing else; and the name in the certificate behind each.
_PORTS: Final = {"portal": 7440, "internal": 7445, "vault": 7446, "registrar": 7447}
_SERVERS: Final = {name: f"{name}.internal" for name in ("vault", "registrar", "worker")} | {
    "internal": "signer.internal"
}


@dataclass(frozen=True, slots=True)
class System:
    """A system's folder: the portal's certificate and the ports are in it."""

    home: Path

    @asynccontextmanager
    async def signing(self) -> AsyncIterator[SigningClient]:
        """Connect to the signer as the portal."""
        async with internal_channel(*self._signer()) as channel:
            yield SigningClient(channel)

    @asynccontextmanager
    async def offers(self) -> AsyncIterator[OffersClient]:
        """Connect to the signer as the portal, for partners."""
        async with internal_channel(*self._signer()) as channel:
            yield OffersClient(channel)

    @asynccontextmanager
    async def partners(self) -> AsyncIterator[PartnersClient]:
        """Connect to the signer as the portal, about partners."""
        async with internal_channel(*self._signer()) as channel:
            yield PartnersClient(channel)

    @asynccontextmanager
    async def sandbox(self) -> AsyncIterator[SandboxClient]:
        """Connect to the registrar's made-up people as the portal."""
        address = self._address("registrar")
        async with internal_channel(address, "registrar.internal", self._tls()) as channel:
            yield SandboxClient(channel)

    def portal(self) -> str:
        """Return the address of the portal, as a browser would type it."""
        return f"http://{self._address('portal')}"

    def processes(self) -> Mapping[str, str]:
        """Return the listeners for other processes: `vault-2` and the name in its certificate."""
        names = {name: _SERVERS.get(name.partition("-")[0]) for name in self._ports()}
        return {name: server for name, server in names.items() if server is not None}

    @asynccontextmanager
    async def diagnostics(
        self, listener: str, server_name: str
    ) -> AsyncIterator[DiagnosticsClient]:
        """Connect to a process as who looks after all of them."""
        tls = self._tls("health")
        async with internal_channel(self._address(listener), server_name, tls) as channel:
            yield DiagnosticsClient(channel)

    def _signer(self) -> tuple[str, str, TlsFiles]:
        """Return where the signer is, the name in its certificate, and who we are."""
        return self._address("internal"), "signer.internal", self._tls()

    def _address(self, listener: str) -> str:
        return f"127.0.0.1:{self._ports()[listener]}"

    def _ports(self) -> Mapping[str, int]:
        ports = _PORTS
        try:
            ports = _PORTS | json.loads((self.home / "ports.json").read_text())
        except FileNotFoundError:
            pass  # the defaults then
        except (OSError, ValueError, TypeError):
            raise UnavailableError(f"{self.home / 'ports.json'} cannot be read") from None
        return ports

    def _tls(self, caller: str = "portal") -> TlsFiles:
        folder = self.home / caller / "tls"
        if not (folder / "cert.pem").is_file():
            raise UnavailableError(f"there is no system in {self.home}: start one by `make up`")
        return TlsFiles(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")
