"""What a phone pins at install: the deployment it belongs to (`deployment.json`)."""

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, ValidationError

from mobile_share.errors import DamagedFileError, NotEnrolledError
from mobile_share.files import read_file
from signer_core.errors import VerificationError

MAX_BYTES: Final = 64 * 1024


class Deployment(BaseModel, frozen=True, extra="forbid"):
    """One field per member of `deployment.json`. The signer is believed in none of it later."""

    root_pem: str  # certificate of the deployment's root CA
    registry_pem: str  # certificate of the key that signs relying parties' records
    registrar_pem: str  # public key that signs enrolment authorisations
    vault_id: str  # for example vault-1
    phone_address: str  # host:port, mutual TLS
    enrolment_address: str  # host:port, server-authenticated TLS
    server_name: str  # DNS name in the signer's certificate
    country: str  # country profile, for example ua
    public_url: str = ""  # https://host of the links of offers; empty: opens none

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check the file.

        Raises:
            NotEnrolledError: there is no such file.
            DamagedFileError: it is no deployment.
            StorageError: it cannot be read.
        """
        content = read_file(path)
        if content is None:
            raise NotEnrolledError("there is no deployment file: start the system, or name one")
        return cls.parse(content)

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Parse the JSON of `deployment.json`.

        Raises:
            DamagedFileError: it is no deployment.
        """
        if len(content) > MAX_BYTES:
            raise DamagedFileError("the deployment file is too long")
        try:
            deployment = cls.model_validate_json(content)
            deployment.root()
            deployment.registry()
            deployment.registrar()
        except (ValidationError, ValueError, UnsupportedAlgorithm):
            raise DamagedFileError("the deployment file is damaged") from None
        return deployment

    def root(self) -> x509.Certificate:
        """Return the root CA's certificate."""
        return _certificate(self.root_pem)

    def registry(self) -> x509.Certificate:
        """Return the registry's certificate."""
        return _certificate(self.registry_pem)

    def registrar(self) -> ec.EllipticCurvePublicKey:
        """Return the registrar's public key.

        Raises:
            DamagedFileError: it is not on P-256.
        """
        key = serialization.load_pem_public_key(self.registrar_pem.encode("ascii"))
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(
            key.curve, ec.SECP256R1
        ):
            raise DamagedFileError("the registrar's key in the deployment file is not on P-256")
        return key

    def verify_registry(self, now: datetime) -> x509.Certificate:
        """Return the registry's certificate, if it is in its time.

        Raises:
            VerificationError: it is not valid yet, or no longer.
        """
        certificate = self.registry()
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise VerificationError("the registry's certificate is out of date: update the phone")
        return certificate


@lru_cache(maxsize=64)
def _certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode("ascii"))
