"""Settings of the worker process: one field a line of `deploy/examples/worker.example.toml`."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, Field

from grpc_api.settings import TlsSettings


class MailSettings(BaseModel, frozen=True, extra="forbid"):
    """Where alerts go by mail."""

    server: str = ""  # host:port; empty: no mail
    starttls: bool = True  # off only for a server on this machine
    user: str = ""  # empty: without login
    password_file: Path | None = None  # mode 0600
    sender: str = "diia-signer@localhost"
    recipients: tuple[str, ...] = ()


class WebhookSettings(BaseModel, frozen=True, extra="forbid"):
    """Where alerts go as HTTP."""

    url: str = ""  # https://, or http:// on loopback; empty: no webhook
    secret_file: Path | None = None  # mode 0600: signs the body, HMAC-SHA256


class CallbackSettings(BaseModel, frozen=True, extra="forbid"):
    """How partners are called."""

    allow_private: bool = False  # the sandbox: our own networks, and http to this machine
    ca_file: Path | None = None  # PEM: authorities of partners; None: this machine's
    client_cert: Path | None = None  # PEM, with its chain: shown to partners that ask for one
    client_key: Path | None = None  # PEM, mode 0600


class WorkerSettings(BaseModel, frozen=True, extra="forbid"):
    """Read once at the start; secrets are in files, never here."""

    listen: str  # host:port
    database_url: str  # of the jobs' own database: SQLite or PostgreSQL
    signer_address: str  # host:port
    patience_s: float = Field(default=86_400, gt=0)  # seconds a job is tried, then it is given up
    first_pause_s: float = Field(default=2.0, gt=0)  # seconds after the first try; doubles
    log_file: Path | None = None  # stderr if absent
    metrics_listen: str = ""  # host:port on loopback, for Prometheus; empty: off
    otlp_endpoint: str = ""  # http(s)://host:port of an OpenTelemetry collector; empty: off
    mail: MailSettings = MailSettings()
    webhook: WebhookSettings = WebhookSettings()
    callbacks: CallbackSettings = CallbackSettings()
    tls: TlsSettings
    callers: Mapping[str, tuple[str, ...]]  # service: DNS names of those who may call it
