"""An officer's connections to the system, under the officer's own certificate."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from grpc_api.clients.admin import AdminClient
from grpc_api.clients.vault_admin import VaultAdminClient
from grpc_api.credentials import officer_channel
from hsm_module.officers.errors import KeyFileError
from hsm_module.officers.key_file import open_key_file, read_certificate
from hsm_module.officers.passphrase import ask_passphrase
from signer_core.errors import UnavailableError

_PORTS: Final[Mapping[str, int]] = {"internal": 7445, "vault": 7446, "registrar": 7447}
SERVERS: Final = {
    "vault": "vault.internal",
    "internal": "signer.internal",
    "registrar": "registrar.internal",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the system is, and which key file opens it."""

    home: Path
    key_file: Path | None = None
    passphrase_file: Path | None = None

    def find_key_file(self) -> Path:
        """Return the key file: the one named, else the only one in the system's folder.

        Raises:
            KeyFileError: there is none, or more than one.
        """
        if self.key_file is not None:
            return self.key_file
        folder = self.home / "officers"
        found = sorted(folder.glob("*.key"))
        if len(found) != 1:
            raise KeyFileError(f"{len(found)} key files in {folder}: name yours by --key-file")
        return found[0]

    def ports(self) -> Mapping[str, int]:
        """Return the ports of the listeners.

        Raises:
            UnavailableError: there is no system here.
        """
        if not (self.home / "public" / "root.pem").is_file():
            raise UnavailableError(f"there is no system in {self.home}: name its folder by --home")
        try:
            return {**_PORTS, **json.loads((self.home / "ports.json").read_text())}
        except FileNotFoundError:
            return _PORTS
        except (OSError, ValueError, TypeError):
            raise UnavailableError(f"{self.home / 'ports.json'} cannot be read") from None


@dataclass(frozen=True, slots=True)
class Session:
    """One officer at work."""

    officer_id: str
    ports: Mapping[str, int]
    root: bytes = field(repr=False)  # PEM
    certificate: bytes = field(repr=False)  # PEM
    key: bytes = field(repr=False)  # PEM

    @classmethod
    def open(cls, place: Place) -> "Session":
        """Open the key file of a place.

        Raises:
            KeyFileError: it cannot be used.
            RefusedError: nobody to ask for the passphrase.
            UnavailableError: there is no system here.
        """
        ports, path = place.ports(), place.find_key_file()
        key = open_key_file(path, ask_passphrase(place.passphrase_file))
        certificate = read_certificate(path, key)
        root = (place.home / "public" / "root.pem").read_bytes()
        return cls(key.officer_id, ports, root, certificate, key.pem())

    @asynccontextmanager
    async def vault(self) -> AsyncIterator[VaultAdminClient]:
        """Connect to the vault."""
        async with self.channel("vault", SERVERS["vault"]) as channel:
            yield VaultAdminClient(channel)

    @asynccontextmanager
    async def signer(self) -> AsyncIterator[AdminClient]:
        """Connect to the signer."""
        async with self.channel("internal", SERVERS["internal"]) as channel:
            yield AdminClient(channel)

    def channel(self, listener: str, server_name: str) -> AbstractAsyncContextManager[Any]:
        """Return a channel to a listener of this system."""
        address = f"127.0.0.1:{self.ports[listener]}"
        return officer_channel(address, server_name, (self.key, self.certificate), self.root)
