"""Where everything is, under one folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TokenFiles:
    """The files of one token; the folder of `conf` also holds the token and its backup."""

    conf: Path
    pin: Path
    so_pin: Path
    manifest: Path


@dataclass(frozen=True, slots=True)
class Home:
    """The state of one deployment on one machine."""

    path: Path  # absolute: SoftHSM's configuration names it

    @property
    def public(self) -> Path:
        """Certificates and records: nothing secret."""
        return self.path / "public"

    @property
    def serving(self) -> TokenFiles:
        """The vault's token. Its SO PIN, able to reset the PIN, leaves with the root token."""
        return TokenFiles(
            conf=self.path / "softhsm" / "softhsm2.conf",
            pin=self.path / "vault" / "token-pin",
            so_pin=self.path / "root-token" / "serving-so-pin",
            manifest=self.path / "vault" / "token-manifest.json",
        )

    @property
    def root(self) -> TokenFiles:
        """The root's token, all of it in one folder that is taken out."""
        folder = self.path / "root-token"
        return TokenFiles(
            conf=folder / "softhsm2.conf",
            pin=folder / "token-pin",
            so_pin=folder / "so-pin",
            manifest=folder / "token-manifest.json",
        )

    @property
    def root_crl(self) -> Path:
        """The root's list of revoked authorities (DER)."""
        return self.public / "root.crl"

    @property
    def process_certificates(self) -> Path:
        """PEM: every process certificate of the ceremony that has not run out, for the vault."""
        return self.public / "process-certificates.pem"

    def certificate(self, name: str) -> Path:
        """Return the path of a certificate: root, issuing-ca, registry, ..."""
        return self.public / f"{name}.pem"
