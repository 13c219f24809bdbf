"""What the phone wants of the signer. It believes none of it: see `requests` and `certificates`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from grpc_api.clients.phone_views import (
    EnrolmentGrant,
    KeyReport,
    OtherKey,
    RenewedChains,
    UntrustedFile,
    UntrustedRequest,
)
from grpc_api.clients.status import RequestStatus
from signer_core.identifiers import KeyId, RequestId
from signer_core.protocol.key_action import KeyAction
from signer_core.protocol.offer_link import OfferLink

__all__ = [
    "EmergencyClient",
    "EnrolmentClient",
    "EnrolmentGrant",
    "KeyReport",
    "OtherKey",
    "Relay",
    "RenewedChains",
    "RequestStatus",
    "SignerClient",
    "UntrustedFile",
    "UntrustedRequest",
]


class Relay(Protocol):
    """A stream to the vault, through the signer, that carries TLS records."""

    async def read(self) -> bytes:
        """Return the next bytes, none at the end."""
        ...

    async def write(self, records: bytes) -> None:
        """Send bytes, at most 64 KiB."""
        ...


class EnrolmentClient(Protocol):
    """The signer, as a phone without a certificate sees it."""

    async def begin(self, activation_code: str, device_csr: bytes, photo: bytes) -> EnrolmentGrant:
        """Exchange an activation code for an authorisation and a device certificate."""
        ...


class EmergencyClient(Protocol):
    """The signer, as anybody sees it."""

    async def suspend(self, code: str) -> None:
        """Suspend the key of this code for good."""
        ...


class SignerClient(Protocol):
    """The signer, as an enrolled phone sees it. Every method raises SignerError."""

    def connect(self, key_id: KeyId, request_id: RequestId) -> AbstractAsyncContextManager[Relay]:
        """Open a stream to the vault."""
        ...

    async def list_requests(self) -> Sequence[UntrustedRequest]:
        """Return the open requests, newest first."""
        ...

    async def get_request(self, request_id: RequestId) -> UntrustedRequest:
        """Return one request, whatever its status."""
        ...

    def watch_requests(self) -> AsyncIterator[RequestId]:
        """Yield open requests now, then each new one."""
        ...

    async def decline_request(self, request_id: RequestId, reason: str) -> None:
        """Decline an open request for good."""
        ...

    async def get_document(self, request_id: RequestId, index: int) -> bytes:
        """Return a file as it will be signed."""
        ...

    async def claim_offer(self, link: OfferLink) -> RequestId:
        """Claim what a link offers; return the request that came of it."""
        ...

    async def confirm_presence(
        self, request_id: RequestId, attestation: str, device_signature: bytes
    ) -> None:
        """Confirm an "antibot" request with photo attestation and device signature."""
        ...

    async def get_return_url(self, request_id: RequestId) -> str:
        """Return where this device's browser goes after an approval; empty: nowhere."""
        ...

    async def list_history(self, limit: int = 0, before_s: int = 0) -> Sequence[UntrustedRequest]:
        """Return requests that are over, the last to end first."""
        ...

    async def get_result(self, request_id: RequestId) -> RequestStatus:
        """Return the status of a request after asking the vault."""
        ...

    async def get_signed_document(self, request_id: RequestId, index: int) -> bytes:
        """Return a signed file."""
        ...

    async def check_photo(self, request_id: RequestId, photo: bytes) -> str:
        """Return a photo attestation, a compact JWS good for 5 minutes."""
        ...

    async def issue_certificate(self, authorisation: str) -> Sequence[bytes]:
        """Return the person's certificate and its issuers, DER."""
        ...

    async def renew_certificate(self, device_csr: bytes) -> RenewedChains:
        """Return new certificates of person and device, once the owner confirmed."""
        ...

    async def set_suspend_code(self, code_hash: bytes) -> None:
        """Register the hash (32 bytes) of this key's suspend code, once."""
        ...

    async def list_other_keys(self) -> tuple[OtherKey, ...]:
        """Return the other keys of this phone's person."""
        ...

    async def request_key_action(self, action: KeyAction, about: KeyId) -> RequestId:
        """Open a request about a key, for a session with the PIN."""
        ...

    async def get_status(self) -> KeyReport:
        """Return the state of this phone's key."""
        ...
