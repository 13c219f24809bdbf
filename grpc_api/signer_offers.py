"""Offers in the signer process: put together of its parts, for the portal and for phones."""

from dataclasses import dataclass

import grpc
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_api.gen.signer.internal.v1.offers_pb2_grpc import (
    add_OffersServiceServicer_to_server as add_internal,
)
from grpc_api.gen.signer.phone.v1.offers_pb2_grpc import (
    add_OffersServiceServicer_to_server as add_phone,
)
from grpc_api.servers.internal_offers import SERVICE, OffersServicer
from grpc_api.servers.phone_identity import DeviceDoor
from grpc_api.servers.phone_limits import CLAIMS_A_MINUTE, CallGate
from grpc_api.servers.phone_offers import PhoneOffersServicer
from signer_core.sharing.offers.claim import Claims
from signer_core.sharing.offers.collect import Collecting
from signer_core.sharing.offers.create import OfferCreation
from signer_core.sharing.offers.presence import Presence
from signer_core.sharing.offers.returning import Returning
from signer_core.sharing.offers.withdraw import Withdrawal
from signer_core.signing.close import Closing
from signer_core.signing.collect import Collection
from signer_core.signing.model import Clock
from signer_core.signing.notices import Notices
from signer_core.signing.opening import Opening
from signer_core.signing.relying_parties import RelyingParties
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.files import Files
from signer_core.storage.signer.offers import Offers
from signer_core.storage.signer.requests import Requests


@dataclass(frozen=True, slots=True)
class OfferParts:
    """What the services of offers work with."""

    engine: AsyncEngine
    relying_parties: RelyingParties
    opening: Opening
    closing: Closing
    outbox: AuditOutbox
    notices: Notices
    clock: Clock
    registrar_key: ec.EllipticCurvePublicKey
    public_url: str  # of the portal

    def collecting(self) -> Collecting:
        """Give results out."""
        return Collecting(
            offers=Offers(self.engine),
            requests=Requests(self.engine),
            files=Files(self.engine),
            certificates=Certificates(self.engine),
            outbox=self.outbox,
            clock=self.clock,
        )

    def add_internal(self, server: grpc.aio.Server, collection: Collection) -> tuple[str, ...]:
        """Register what the portal may call; return the name of the service."""
        offers, requests = Offers(self.engine), Requests(self.engine)
        servicer = OffersServicer(
            offers=offers,
            creation=OfferCreation(offers, self.relying_parties, self.clock),
            withdrawal=Withdrawal(offers, requests, self.closing, self.notices, self.clock),
            collecting=self.collecting(),
            collection=collection,
            notices=self.notices,
            clock=self.clock,
        )
        add_internal(servicer, server)
        return (SERVICE,)

    def add_phones(self, server: grpc.aio.Server, door: DeviceDoor, collection: Collection) -> None:
        """Register what enrolled phones may call."""
        offers, requests = Offers(self.engine), Requests(self.engine)
        claims = Claims(
            offers=offers,
            certificates=Certificates(self.engine),
            opening=self.opening,
            outbox=self.outbox,
            clock=self.clock,
        )
        presence = Presence(
            requests=requests,
            registrar_key=self.registrar_key,
            outbox=self.outbox,
            notices=self.notices,
            clock=self.clock,
            hooks=collection.hooks,
        )
        returning = Returning(offers, self.public_url, self.clock)
        calls = CallGate(CLAIMS_A_MINUTE)
        servicer = PhoneOffersServicer(door, requests, claims, presence, returning, calls)
        add_phone(servicer, server)
