"""Where the system of this machine is, and how a developer's tool calls it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grpc_api.clients.registrar import SandboxClient
from grpc_api.clients.signing import SigningClient
from grpc_api.credentials import internal_channel
from grpc_api.settings import TlsSettings
from signer_core.errors import UnavailableError

_PORTS: Final = {"internal": 7445, "registrar": 7447}  # where `ports.json` says nothing else


@dataclass(frozen=True, slots=True)
class System:
    """A system's folder: the portal's certificate and the ports are in it."""

    home: Path

    @asynccontextmanager
    async def signing(self) -> AsyncIterator[SigningClient]:
        """Connect to the signer as the portal."""
        address = self._address("internal")
        async with internal_channel(address, "signer.internal", self._tls()) as channel:
            yield SigningClient(channel)

    @asynccontextmanager
    async def sandbox(self) -> AsyncIterator[SandboxClient]:
        """Connect to the registrar's made-up people as the portal."""
        address = self._address("registrar")
        async with internal_channel(address, "registrar.internal", self._tls()) as channel:
            yield SandboxClient(channel)

    def _address(self, listener: str) -> str:
        ports = _PORTS
        try:
            ports = _PORTS | json.loads((self.home / "ports.json").read_text())
        except FileNotFoundError:
            pass  # the defaults then
        except (OSError, ValueError, TypeError):
            raise UnavailableError(f"{self.home / 'ports.json'} cannot be read") from None
        return f"127.0.0.1:{ports[listener]}"

    def _tls(self) -> TlsSettings:
        folder = self.home / "portal" / "tls"
        if not (folder / "cert.pem").is_file():
            raise UnavailableError(f"there is no system in {self.home}: start one by `make up`")
        return TlsSettings(cert=folder / "cert.pem", key=folder / "key.pem", ca=folder / "ca.pem")
