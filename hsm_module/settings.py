"""Settings of the vault process: one field a line of `deploy/examples/vault.example.toml`."""

from pathlib import Path

from pydantic import BaseModel, Field

from grpc_api.settings import TlsSettings
from hsm_module.seals.rules import SealSettings
from signer_core.identifiers import VaultId


class VaultSettings(BaseModel, frozen=True, extra="forbid"):
    """Read once at the start; secrets are in files, never here."""

    listen: str  # host:port
    database_url: str
    vault_id: VaultId
    pkcs11_module: Path
    softhsm_conf: Path
    token_label: str
    token_pin_file: Path  # mode 0600, this user's own
    token_manifest: Path
    high_water_marks: Path  # on a disk of this host, never restored with the database
    ca_chain: Path  # PEM: issuing, device and infrastructure CA
    root_crl: Path | None = None  # DER: the root's, made with its key at the ceremony
    process_certificates: Path | None = None  # PEM: those of the ceremony, to be given a status
    registrar_key: Path  # PEM: the public key that authorises enrolments
    crl_url: str
    ocsp_url: str
    ca_issuers_url: str
    login_issuer: str = ""  # URL: whose ID tokens are signed; empty: none
    certificate_days: int = Field(365, ge=1, le=730)  # a person's certificate is good so long
    session_ttl_s: int = Field(gt=0)  # seconds a session that is not finished is kept
    country: str = "ua"  # profile of `signer_core.pki.countries`
    relying_parties: Path | None = None  # JSON: records that the ceremony signed
    sandbox: bool = False  # developers may make partners of their own, called made up
    log_file: Path | None = None  # None: standard error
    metrics_listen: str = ""  # host:port on loopback, for Prometheus; empty: off
    otlp_endpoint: str = ""  # http(s)://host:port of an OpenTelemetry collector; empty: off
    tls: TlsSettings
    seals: dict[str, SealSettings] = {}  # whose seals are in the token, and who may use each
    callers: dict[str, tuple[str, ...]]  # service: DNS names that may call it
