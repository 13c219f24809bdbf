"""Settings of the portal: one field a line of `deploy/examples/portal.example.toml`."""

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field

from grpc_api.settings import TlsSettings

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


def _check_public_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.geturl() != url or url != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
        raise ValueError("is scheme and host alone, e.g. https://sign.example")
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _LOOPBACK):
        raise ValueError("begins with https://; with http:// on this machine only")
    return url


PublicUrl = Annotated[str, AfterValidator(_check_public_url)]


class PortalSettings(BaseModel, frozen=True, extra="forbid"):
    """Read once at the start."""

    listen: str  # host:port, plain HTTP
    public_url: PublicUrl  # what browsers and partners call it
    cookie_keys_file: Path  # a Fernet key a line, the newest first; mode 0600
    phone_url: PublicUrl | Literal[""] = ""  # the developers' phone in the browser; empty: none
    signer_addresses: tuple[str, ...] = Field(min_length=1)  # host:port; of several, IP addresses
    log_file: Path | None = None  # None: standard error
    metrics_listen: str = ""  # host:port on loopback, for Prometheus; empty: off
    otlp_endpoint: str = ""  # http(s)://host:port of an OpenTelemetry collector; empty: off
    tls: TlsSettings  # towards the signer

    @property
    def is_secure(self) -> bool:
        """Whether browsers come over TLS, which a proxy before us ends."""
        return self.public_url.startswith("https://")
