"""One phone: its folder, its key store, and the deployment it pinned when it was enrolled."""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from grpc_api.channel import DeviceIdentity
from mobile_share.deployment import Deployment
from mobile_share.errors import AlreadyEnrolledError, DamagedFileError, NotEnrolledError
from mobile_share.files import read_file, write_durably
from mobile_share.keystore import KeyStore
from mobile_share.share_file import ShareStore, open_sealed, seal
from signer_core.identifiers import KeyId

_GRANT_ROLE: Final = b"grant"


@dataclass(frozen=True, slots=True)
class Grant:
    """What the phone keeps of an enrolment until it holds its certificate."""

    key_id: KeyId
    authorisation: str = field(repr=False)  # compact JWS, names the person

    def to_bytes(self) -> bytes:
        """Encode as JSON."""
        return json.dumps({"key_id": self.key_id.hex(), "jws": self.authorisation}).encode("ascii")

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Self:
        """Decode what `to_bytes` made; sealed, so it is what we wrote."""
        fields = json.loads(encoded)
        return cls(KeyId(bytes.fromhex(fields["key_id"])), fields["jws"])


@dataclass(frozen=True, slots=True)
class Phone:
    """The files of one phone.

    `deployment.json` (pinned), `device-chain.pem`, `grant` (sealed, until there is a certificate),
    `share` (sealed), `certificate.pem` (last: with it the phone is enrolled), and what the key
    store keeps there.
    """

    folder: Path
    key_store: KeyStore
    deployment: Deployment

    @property
    def shares(self) -> ShareStore:
        """The share file."""
        return ShareStore(self.folder, self.key_store.device_secret())

    @property
    def is_enrolled(self) -> bool:
        """Whether the person's certificate is here."""
        return (self.folder / "certificate.pem").exists()

    @property
    def has_share(self) -> bool:
        """Whether there is a share, perhaps without a certificate yet."""
        return (self.folder / "share").exists()

    def refuse_second_enrolment(self) -> None:
        """Check that no key lives here.

        Raises:
            AlreadyEnrolledError: one does.
        """
        if self.is_enrolled:
            raise AlreadyEnrolledError(
                "this folder holds an enrolled phone already: use another --home"
            )

    def identity(self) -> DeviceIdentity:
        """Return device certificate and key for TLS.

        Raises:
            NotEnrolledError: there is no device certificate yet.
        """
        chain = read_file(self.folder / "device-chain.pem")
        if chain is None:
            raise NotEnrolledError("this phone is not enrolled: run `signer-phone enrol`")
        return DeviceIdentity(chain, self.key_store.device_key().pem())

    def certificate(self) -> x509.Certificate:
        """Return the person's certificate.

        Raises:
            NotEnrolledError: there is none yet.
            DamagedFileError: the file is no certificate.
        """
        pem = read_file(self.folder / "certificate.pem")
        if pem is None:
            raise NotEnrolledError("this phone is not enrolled: run `signer-phone enrol`")
        return _first_certificate(pem)

    def store_grant(self, grant: Grant, device_chain: list[bytes]) -> None:
        """Keep device certificate, pinned deployment and grant durably; raises StorageError."""
        pinned = self.deployment.model_dump_json().encode()
        write_durably(self.folder / "deployment.json", pinned)
        write_durably(self.folder / "device-chain.pem", _to_pem(device_chain))
        sealed = seal(grant.to_bytes(), self.key_store.device_secret(), _GRANT_ROLE)
        write_durably(self.folder / "grant", sealed)

    def load_grant(self) -> Grant:
        """Return the grant of an enrolment that is not finished; raises NotEnrolledError."""
        sealed = read_file(self.folder / "grant")
        if sealed is None:
            raise NotEnrolledError("no enrolment was begun in this folder")
        return Grant.from_bytes(open_sealed(sealed, self.key_store.device_secret(), _GRANT_ROLE))

    def store_certificate(self, chain: list[bytes]) -> None:
        """Keep the person's certificate durably and forget the grant; raises StorageError."""
        write_durably(self.folder / "certificate.pem", _to_pem(chain))
        (self.folder / "grant").unlink(missing_ok=True)

    def store_renewed(self, chain: list[bytes], device_chain: list[bytes]) -> None:
        """Keep new certificates of device and person durably; raises StorageError.

        The person's comes last: without it the renewal is fetched again.
        """
        write_durably(self.folder / "device-chain.pem", _to_pem(device_chain))
        write_durably(self.folder / "certificate.pem", _to_pem(chain))

    def discard_share(self) -> None:
        """Forget a share that never became active at the vault."""
        (self.folder / "share").unlink(missing_ok=True)


def open_phone(folder: Path, key_store: KeyStore) -> Phone:
    """Open the phone in `folder`, with the deployment it pinned.

    Raises:
        NotEnrolledError: there is none.
        DamagedFileError: its pinned deployment is damaged.
    """
    pinned = read_file(folder / "deployment.json")
    if pinned is None:
        raise NotEnrolledError("this phone is not enrolled: run `signer-phone enrol`")
    return Phone(folder, key_store, Deployment.parse(pinned))


@lru_cache(maxsize=64)
def _first_certificate(pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(pem)[0]
    except ValueError:
        raise DamagedFileError("the certificate of this phone is damaged") from None


def _to_pem(chain: list[bytes]) -> bytes:
    certificates = (x509.load_der_x509_certificate(der) for der in chain)
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)
