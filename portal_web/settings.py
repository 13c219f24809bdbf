"""Settings of the portal: one field a line of `deploy/examples/portal.example.toml`."""

from pathlib import Path

from pydantic import BaseModel, Field

from grpc_api.settings import TlsSettings


class PortalSettings(BaseModel, frozen=True, extra="forbid"):
    """Read once at the start."""

    listen: str  # host:port, plain HTTP
    signer_addresses: tuple[str, ...] = Field(min_length=1)  # host:port; of several, IP addresses
    log_file: Path | None = None  # None: standard error
    metrics_listen: str = ""  # host:port on loopback, for Prometheus; empty: off
    otlp_endpoint: str = ""  # http(s)://host:port of an OpenTelemetry collector; empty: off
    tls: TlsSettings  # towards the signer
