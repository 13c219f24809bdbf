"""What one process wants of another, without saying how the wire looks.

The vault implements the `Vault*` ports (`hsm_module`), the registrar `Registrar`; the clients in
`grpc_api.clients` implement the same ports over gRPC, so a server sees another process only here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from signer_core.identifiers import DeviceKeyHash, KeyId, RequestId, VaultId
from signer_core.protocol.ecdsa2p.messages import Message


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Vault to device, after row 9: the key is active. Transport only, never hashed."""


@dataclass(frozen=True, slots=True)
class EpochAcked:
    """Vault to device, after step 7: the epoch is marked as shown. Transport only."""


class Channel(Protocol):
    """The vault's end of the TLS 1.3 channel with one phone (docs/spec/ecdsa2p.md §0)."""

    async def receive(self) -> Message:
        """Return the peer's next message.

        Raises:
            ProtocolAbortError: the bytes are no message, or the channel ended.
        """
        ...

    async def send(self, message: Message | Enrolled | EpochAcked) -> None:
        """Send one message.

        Raises:
            ProtocolAbortError: the channel ended.
        """
        ...

    async def finish(self, message: Enrolled | EpochAcked) -> None:
        """Send the last message and end the channel; raises as `send`."""
        ...


class VaultSessions(Protocol):
    """The protocol runs of phones."""

    async def serve(
        self, device_certificate: bytes, channel: Channel, tell: "TellConsumed"
    ) -> None:
        """Run one session with the phone of this DER certificate, to its end.

        The channel has already checked the certificate against the device CA. A typed error means
        that the session is over; the caller tells the phone by a `Failure` and closes. `tell` is
        called when a request is consumed, after its commit.
        """
        ...


class RequestState(StrEnum):
    """State of a request at the vault, the arbiter of "signed once"."""

    OPEN = "open"
    RESERVED = "reserved"
    CONSUMED = "consumed"
    BURNED = "burned"


@dataclass(frozen=True, slots=True)
class SignedItem:
    """One thing that was signed: its kind (`cms`, `pkcs10`), its bytes, the DER signature."""

    kind: str
    data: bytes
    signature: bytes


TellConsumed = Callable[[RequestId, tuple[SignedItem, ...]], None]
"""Hear that the vault consumed a request, and what it signed."""


@dataclass(frozen=True, slots=True)
class RequestResult:
    """State of a request and, once consumed, its signatures in the order they were made."""

    state: RequestState
    items: tuple[SignedItem, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestRegistration:
    """What the vault must know of a request before a phone may sign it."""

    request_id: RequestId
    key_id: KeyId
    kind: str  # "documentSigning"
    request_hash: bytes  # 32 bytes, docs/spec/request-hash.md
    file_hashes: tuple[bytes, ...]  # 1 to 64 of 32 bytes
    expires_at_s: int  # Unix time


class VaultRequests(Protocol):
    """Requests as the vault knows them: hashes only."""

    async def register(self, registration: RequestRegistration) -> None:
        """Open a request; repeating the same one is harmless.

        Raises:
            InvalidRequestError: the id is taken by another content, or the content is malformed.
            NotFoundError: no such key.
            KeyBlockedError, KeySuspendedError, RetireShareError: the key cannot sign any more.
        """
        ...

    async def burn(self, request_id: RequestId) -> None:
        """Void an open request for good; a burned one stays burned.

        Raises:
            NotFoundError: no such request.
            InvalidRequestError: it is consumed or being judged.
        """
        ...

    async def result(self, request_id: RequestId) -> RequestResult:
        """Return state and signatures.

        Raises:
            NotFoundError: no such request.
        """
        ...


class KeyStatus(StrEnum):
    """Status of a user key. `BLOCKED` is derived from the counts, never stored."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    SUSPENDED = "suspended"
    RETIRED = "retired"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class KeyState:
    """What may be told of a key."""

    status: KeyStatus
    attempts_left: int  # before the final block, 0 to 9
    hold_until_s: int  # Unix time, 0 when no wait is due
    signatures: int  # made since enrolment
    generation: int
    device_key_hash: DeviceKeyHash
    wrong_tries: int = 0  # wrong PINs since the last success
    ended_by: str = ""  # why it was suspended or retired: owner, officer, clone, ..
    must_refresh: bool = False  # it signs nothing before new shares


@dataclass(frozen=True, slots=True)
class CertificateChain:
    """A DER certificate and its issuers, DER, nearest first."""

    certificate: bytes
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Renewed:
    """New certificates on the same keys."""

    person: CertificateChain  # the root last
    device: CertificateChain  # without the root


class VaultKeys(Protocol):
    """Keys and the certificates that the vault's CAs issue for them."""

    async def issue_device_certificate(
        self, authorisation: str, device_csr: bytes
    ) -> CertificateChain:
        """Certify the device key that an enrolment authorisation names (chain without root).

        Raises:
            DeniedError: the authorisation is not the registrar's, expired, or names another key.
            InvalidRequestError: the DER PKCS#10 is malformed or does not verify.
        """
        ...

    async def issue_certificate(self, key_id: KeyId, authorisation: str) -> CertificateChain:
        """Certify a key that has signed its own PKCS#10; the subject is the authorisation's.

        Repeating the call returns the same certificate.

        Raises:
            NotFoundError: no such key, or it has not signed its PKCS#10 yet.
            DeniedError: the authorisation is not the one the key was enrolled under.
        """
        ...

    async def renew_certificate(self, key_id: KeyId, device_csr: bytes) -> Renewed:
        """Certify a key anew whose owner confirmed it, and its phone; the subject stays.

        Repeating the call returns the same certificate of the person for a day.

        Raises:
            NotFoundError: no such key, or no renewal that its owner confirmed lately.
            DeniedError: the device key is not that of the key's phone, or the certificate in force
                is suspended or revoked.
            InvalidRequestError: the DER PKCS#10 of the device key is malformed.
            KeyBlockedError, KeySuspendedError, RetireShareError, BusyError: the key cannot be used.
        """
        ...

    async def key_state(self, key_id: KeyId) -> KeyState:
        """Return the state of a key.

        Raises:
            NotFoundError: no such key.
        """
        ...

    async def set_suspend_code(self, key_id: KeyId, code_hash: bytes) -> None:
        """Keep the hash (32 bytes) of a key's suspend code; repeating the same is harmless.

        Raises:
            InvalidRequestError: the key has another code already, or the hash has another size.
            NotFoundError: no such key.
        """
        ...

    async def suspend_by_code(self, code_hash: bytes) -> None:
        """Suspend the key with this code for good; repeating it is harmless.

        Raises:
            NotFoundError: no key has this code.
        """
        ...


@dataclass(frozen=True, slots=True)
class EnrolmentGrant:
    """What the registrar grants for one activation code and one device key."""

    key_id: KeyId
    authorisation: str = field(repr=False)  # compact JWS, names the person
    attestation: str = field(repr=False)  # compact JWS
    full_name: str = field(repr=False)


class Registrar(Protocol):
    """Identity and photo check (signer_core.identity)."""

    async def authorise_enrolment(
        self, activation_code: str, device_key_hash: DeviceKeyHash, vault_id: VaultId, photo: bytes
    ) -> EnrolmentGrant:
        """Authorise one enrolment; the same code and device key give the same grant again.

        Raises:
            NotFoundError: the code is unknown, expired, or used by another device.
            DeniedError: the person may not enrol, or the photo does not match.
            UnavailableError: the identity provider does not answer.
        """
        ...

    async def attest_photo(
        self, device_key_hash: DeviceKeyHash, request_id: RequestId, photo: bytes
    ) -> str:
        """Return a photo attestation, a compact JWS good for 5 minutes.

        Raises:
            NotFoundError: no such device.
            DeniedError: the photo does not match.
            UnavailableError: the photo check does not answer.
        """
        ...
