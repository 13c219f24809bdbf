"""A sign of being human, "antibot": the device key and the photo check, no PIN, no signature."""

import functools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.audit.events import Event
from signer_core.errors import InvalidRequestError, NotFoundError, VerificationError
from signer_core.identifiers import DeviceKeyHash, OfferId
from signer_core.identity.attestation import verify_attestation
from signer_core.pki.device import device_key_hash
from signer_core.protocol.presence import SIGNATURE_BYTES, presence_message
from signer_core.protocol.request_kind import RequestKind
from signer_core.signing.model import Clock, Request, RequestStatus
from signer_core.signing.notices import Notices
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.offers import store_token
from signer_core.storage.signer.requests import ConsumedHook, Requests

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a phone shows to confirm a request."""

    device_key: ec.EllipticCurvePublicKey
    attestation: str = field(repr=False)  # of the photo check, a compact JWS
    signature: bytes = field(repr=False)  # 64 bytes, ES256 by the device key


@dataclass(frozen=True, slots=True)
class Presence:
    """Confirms requests that the vault has nothing to do with."""

    requests: Requests
    registrar_key: ec.EllipticCurvePublicKey  # pinned: attests photos
    outbox: AuditOutbox
    notices: Notices
    clock: Clock
    hooks: Callable[[Request], Sequence[ConsumedHook]]

    async def confirm(self, request: Request, shown: Confirmation) -> None:
        """Confirm a request of the phone's own key; repeating it is harmless.

        1. It is one of this kind, open and in its time.
        2. The device key signed this very request.
        3. The registrar attested a photo for this device and request, at most 300 s ago.
        4. Nobody closed it meanwhile. The token that the partner gets is random: nothing in it is
           of the person, and no two are alike.

        Raises:
            InvalidRequestError: another kind, or a signature of another size.
            NotFoundError: it is not open any more.
            VerificationError: the signature is not of this device and request.
            DeniedError: the photo attestation does not fit.
        """
        if request.content.kind != RequestKind.ANTIBOT or request.content.offer_id is None:  # 1
            raise InvalidRequestError("this request is signed with the PIN")
        if request.status is RequestStatus.CONSUMED:
            return
        self._verify_open(request)
        _verify_signature(shown, request.request_hash)  # 2
        verify_attestation(  # 3
            shown.attestation,
            self.registrar_key,
            device_key_hash=DeviceKeyHash(device_key_hash(shown.device_key)),
            request_id=request.request_id,
            now=self.clock(),
        )
        await self._consume(request, request.content.offer_id)  # 4

    def _verify_open(self, request: Request) -> None:
        status = request.status_at(self._now_s())
        if status is not RequestStatus.OPEN:
            raise NotFoundError(f"the request is not open any more: it is {status}")

    async def _consume(self, request: Request, offer_id: OfferId) -> None:
        about = offer_id.hex()
        key_id = request.content.key_id
        event = Event("offer", "confirmed", key_id, request.request_id, subject=about)
        hooks: tuple[ConsumedHook, ...] = (
            functools.partial(_keep_token, offer_id=offer_id),
            functools.partial(self.outbox.record, event=event),
            *self.hooks(request),
        )
        if not await self.requests.consume(request.request_id, (), self._now_s(), hooks):
            raise NotFoundError("the request is not open any more")
        self.notices.tell(*request.topics)

    def _now_s(self) -> int:
        return int(self.clock().timestamp())


async def _keep_token(connection: AsyncConnection, offer_id: OfferId) -> None:
    await store_token(connection, offer_id, secrets.token_bytes(TOKEN_BYTES))


def _verify_signature(shown: Confirmation, request_hash: bytes) -> None:
    if len(shown.signature) != SIGNATURE_BYTES:
        raise InvalidRequestError("the signature of a device has 64 bytes")
    r, s = (int.from_bytes(shown.signature[at : at + 32], "big") for at in (0, 32))
    der = utils.encode_dss_signature(r, s)
    try:
        shown.device_key.verify(der, presence_message(request_hash), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise VerificationError("this phone's key did not sign this request") from None
