"""Settings of the browser phone: one field a line of `deploy/examples/simulator.example.toml`."""

from ipaddress import ip_address
from pathlib import Path

from pydantic import BaseModel, field_validator


class SimulatorSettings(BaseModel, frozen=True, extra="forbid"):
    """Read once at the start."""

    listen: str  # host:port, plain HTTP, on loopback only
    phones: Path  # folder, one phone a folder in it
    deployment: Path  # what a new phone pins
    sandbox_command: tuple[str, ...] = ()  # `signer` with its options; none: no codes by a button
    log_file: Path | None = None  # None: standard error

    @field_validator("listen")
    @classmethod
    def _on_loopback(cls, address: str) -> str:
        """Refuse any other network: it holds keys, and asks nobody who he is."""
        host, _, port = address.rpartition(":")
        on_loopback: bool = ip_address(host.strip("[]")).is_loopback
        if not (on_loopback and port.isdecimal()):
            raise ValueError("the browser phone listens on a loopback address only")
        return address

    @property
    def port(self) -> int:
        """The port of `listen`."""
        return int(self.listen.rpartition(":")[2])
