"""OffersService: an enrolled phone opens what a link or a QR code offers."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from typing_extensions import override

from grpc_api.gen.signer.phone.v1 import offers_pb2 as wire
from grpc_api.gen.signer.phone.v1 import offers_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.interceptors.peer import peer_certificate
from grpc_api.servers.internal_offers import parse_offer_id
from grpc_api.servers.phone_identity import DeviceDoor
from grpc_api.servers.phone_limits import CallGate
from grpc_api.servers.phone_views import own_request
from signer_core.errors import DeniedError, InvalidRequestError
from signer_core.protocol.offer_link import CODE_BYTES, MAX_STEP, OfferLink
from signer_core.sharing.offers.claim import Claims
from signer_core.sharing.offers.presence import Confirmation, Presence
from signer_core.sharing.offers.returning import Returning
from signer_core.storage.signer.requests import Requests


@dataclass(frozen=True, slots=True)
class PhoneOffersServicer(services.OffersServiceServicer):
    """Offers that the device's own key may claim."""

    door: DeviceDoor
    requests: Requests
    claims: Claims
    presence: Presence
    returning: Returning
    calls: CallGate

    @override
    async def ClaimOffer(
        self, request: wire.ClaimOfferRequest, context: Context
    ) -> wire.ClaimOfferResponse:
        """Claim an offer for the device's key."""
        device = await self.door.identify(context)
        self.calls.admit(device.key_hash)
        link = OfferLink(parse_offer_id(request.offer_id), request.step_s, request.code)
        if len(link.code) != CODE_BYTES or link.step_s > MAX_STEP:
            raise InvalidRequestError("the code of a link has 16 bytes")
        return wire.ClaimOfferResponse(request_id=await self.claims.claim(device.key_id, link))

    @override
    async def ConfirmPresence(
        self, request: wire.ConfirmPresenceRequest, context: Context
    ) -> wire.ConfirmPresenceResponse:
        """Confirm an "antibot" request of the device's key."""
        device = await self.door.identify(context)
        self.calls.admit(device.key_hash)
        found = await own_request(self.requests, device.key_id, request.request_id)
        shown = Confirmation(
            _device_key(context), request.photo_attestation, request.device_signature
        )
        await self.presence.confirm(found, shown)
        return wire.ConfirmPresenceResponse()

    @override
    async def GetReturnCode(
        self, request: wire.GetReturnCodeRequest, context: Context
    ) -> wire.GetReturnCodeResponse:
        """Tell where the same device's browser goes now."""
        device = await self.door.identify(context)
        found = await own_request(self.requests, device.key_id, request.request_id)
        return wire.GetReturnCodeResponse(return_url=await self.returning.link_of(found))


def _device_key(context: Context) -> ec.EllipticCurvePublicKey:
    """Return the key that this connection's TLS proved, the enrolled device's own."""
    key = peer_certificate(context).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise DeniedError("this certificate is not one of a device")
    return key
