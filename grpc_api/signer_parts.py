"""What the signer consists of, put together once; other processes appear as ports."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

import grpc
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.ext.asyncio import AsyncEngine

from grpc_api.gen.signer.internal.v1.signing_pb2_grpc import (
    add_SigningServiceServicer_to_server,
)
from grpc_api.gen.signer.phone.v1.device_pb2_grpc import add_DeviceServiceServicer_to_server
from grpc_api.gen.signer.phone.v1.emergency_pb2_grpc import (
    add_EmergencyServiceServicer_to_server,
)
from grpc_api.gen.signer.phone.v1.enrolment_pb2_grpc import (
    add_EnrolmentServiceServicer_to_server,
)
from grpc_api.gen.signer.phone.v1.relay_pb2_grpc import add_RelayServiceServicer_to_server
from grpc_api.gen.signer.phone.v1.requests_pb2_grpc import (
    add_RequestsServiceServicer_to_server,
    add_ResultsServiceServicer_to_server,
)
from grpc_api.servers.internal_login import add_login
from grpc_api.servers.internal_signing import SigningServicer
from grpc_api.servers.internal_trust import add_trust
from grpc_api.servers.partner_limits import NewPartners
from grpc_api.servers.phone_device import DeviceServicer
from grpc_api.servers.phone_emergency import EmergencyServicer
from grpc_api.servers.phone_enrolment import EnrolmentServicer
from grpc_api.servers.phone_identity import DeviceDoor
from grpc_api.servers.phone_limits import (
    DOCUMENTS_A_MINUTE,
    DOCUMENTS_AT_ONCE,
    KEY_CALLS_A_MINUTE,
    CallGate,
    RelayLimits,
    StreamGate,
)
from grpc_api.servers.phone_relay import Ended, Relay, RelayServicer
from grpc_api.servers.phone_requests import RequestsServicer, ResultsServicer
from grpc_api.servers.source_limits import SourceGate
from grpc_api.signer_admin import add_admin_service
from grpc_api.signer_audit import SignerAudit
from grpc_api.signer_offers import OfferParts
from grpc_api.signer_partners import PartnerParts
from grpc_api.signer_seals import SealParts
from signer_core.admin.access import Access
from signer_core.admin.vault import OfficerTable
from signer_core.audit.ports import VaultAudit
from signer_core.identifiers import VaultId
from signer_core.keys.actions import KeyActions
from signer_core.keys.emergency import Emergency
from signer_core.keys.enrolment import Enrolment
from signer_core.keys.renewal import Renewal
from signer_core.login.logins import Logins
from signer_core.login.offers import CollectedOffers
from signer_core.login.ports import VaultLogin
from signer_core.partners.directory import PartnerDirectory
from signer_core.partners.example import Examples
from signer_core.partners.ports import VaultPartners
from signer_core.ports import Registrar, VaultKeys, VaultRequests
from signer_core.seals.ports import VaultSeals
from signer_core.sharing.offers.approval import Approvals, ApprovedHook
from signer_core.signing.carry_over import CarryOver
from signer_core.signing.close import Closing
from signer_core.signing.collect import Collection
from signer_core.signing.create import Creation
from signer_core.signing.model import Clock
from signer_core.signing.notices import Notices
from signer_core.signing.opening import Opening
from signer_core.signing.recover import Recovery
from signer_core.storage.signer.certificates import Certificates
from signer_core.storage.signer.devices import Devices
from signer_core.storage.signer.files import Files
from signer_core.storage.signer.history import History
from signer_core.storage.signer.logins import LoginRows
from signer_core.storage.signer.offers import Offers
from signer_core.storage.signer.requests import Requests
from signer_core.trust.desk import TrustDesk
from signer_core.trust.ports import TrustServices


async def nothing_to_wait_for() -> None:
    """Return at once: neighbours of the same process are there."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The other processes."""

    registrar: Registrar
    requests: VaultRequests
    keys: VaultKeys
    relay: Relay
    vault_id: VaultId
    trust: TrustServices
    audit: VaultAudit
    officers: OfficerTable
    seals: VaultSeals
    login: VaultLogin
    partners: VaultPartners
    reached: Callable[[], Awaitable[None]] = nothing_to_wait_for  # ends once the vault is connected


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the services of one signer process share."""

    engine: AsyncEngine
    neighbours: Neighbours
    relying_parties: PartnerDirectory
    trust_roots: tuple[bytes, ...]  # DER
    issuers: tuple[bytes, ...]  # DER: the authorities under the root
    executor: Executor
    clock: Clock
    audit: SignerAudit
    registrar_key: ec.EllipticCurvePublicKey  # attests photos
    public_url: str  # of the portal: where the links of offers lead
    limits: RelayLimits = field(default_factory=RelayLimits)
    notices: Notices = field(default_factory=Notices)
    # Called in the transaction that approves an offer, with it and the offer.
    approved: list[ApprovedHook] = field(default_factory=list)
    has_sandbox: bool = False
    new_partners: NewPartners = field(default_factory=NewPartners)

    def creation(self) -> Creation:
        """Make requests."""
        return Creation(
            requests=Requests(self.engine),
            certificates=Certificates(self.engine),
            relying_parties=self.relying_parties,
            opening=self.opening(),
            executor=self.executor,
            clock=self.clock,
        )

    def opening(self) -> Opening:
        """Open requests."""
        requests, vault = Requests(self.engine), self.neighbours.requests
        return Opening(requests, vault, self.notices, self.closing())

    def key_actions(self) -> KeyActions:
        """Open requests about keys."""
        certificates = Certificates(self.engine)
        return KeyActions(Requests(self.engine), certificates, self.opening(), self.clock)

    def emergency(self) -> Emergency:
        """Suspend by code."""
        return Emergency(self.neighbours.keys)

    def collection(self) -> Collection:
        """Collect results."""
        return Collection(
            requests=Requests(self.engine),
            files=Files(self.engine),
            certificates=Certificates(self.engine),
            vault=self.neighbours.requests,
            notices=self.notices,
            executor=self.executor,
            clock=self.clock,
            carry_over=self.carry_over(),
            trust_roots=self.trust_roots,
            hooks=Approvals(Offers(self.engine), self.approved).of,
        )

    def carry_over(self) -> CarryOver:
        """Carry requests over to a new phone."""
        return CarryOver(
            requests=Requests(self.engine),
            files=Files(self.engine),
            certificates=Certificates(self.engine),
            opening=self.opening(),
            executor=self.executor,
            clock=self.clock,
        )

    def renewal(self, collection: Collection) -> Renewal:
        """Renew certificates."""
        return Renewal(self.neighbours.keys, collection)

    def closing(self) -> Closing:
        """Decline and withdraw."""
        return Closing(Requests(self.engine), self.neighbours.requests, self.notices, self.clock)

    def enrolment(self) -> Enrolment:
        """Enrol phones."""
        return Enrolment(
            registrar=self.neighbours.registrar,
            vault=self.neighbours.keys,
            vault_id=self.neighbours.vault_id,
            devices=Devices(self.engine),
            certificates=Certificates(self.engine),
            clock=self.clock,
        )

    def seals(self) -> SealParts:
        """Seal documents."""
        return SealParts(
            vault=self.neighbours.seals,
            trust=self.neighbours.trust,
            issuers=self.issuers,
            engine=self.engine,
            executor=self.executor,
            clock=self.clock,
        )

    def offers(self) -> OfferParts:
        """Offer to phones what partners want."""
        return OfferParts(
            engine=self.engine,
            relying_parties=self.relying_parties,
            opening=self.opening(),
            closing=self.closing(),
            outbox=self.audit.kept.outbox,
            notices=self.notices,
            clock=self.clock,
            registrar_key=self.registrar_key,
            public_url=self.public_url,
        )

    def logins(self) -> Logins:
        """Sign people in at partners."""
        rows = LoginRows(self.engine, self.audit.kept.outbox)
        offers = CollectedOffers(Offers(self.engine), self.offers().collecting())
        return Logins(rows, offers, self.relying_parties, self.neighbours.login, self.clock)

    def partners(self) -> PartnerParts:
        """Know partners."""
        return PartnerParts(
            engine=self.engine,
            vault=self.neighbours.partners,
            directory=self.relying_parties,
            closing=self.closing(),
            clock=self.clock,
            has_sandbox=self.has_sandbox,
            examples=Examples(self.neighbours.login, self.public_url, self.clock),
            limits=self.new_partners,
        )

    def recovery(self, collection: Collection) -> Recovery:
        """Recover after a start."""
        return Recovery(Requests(self.engine), self.opening(), collection)


def add_phone_services(
    server: grpc.aio.Server,
    parts: Parts,
    collection: Collection,
    ended: Ended,
) -> None:
    """Register what enrolled phones may call."""
    door = DeviceDoor(Devices(parts.engine))
    requests, files = Requests(parts.engine), Files(parts.engine)
    limits = parts.limits
    relays = StreamGate(limits.streams, limits.streams_a_minute)
    documents = StreamGate(DOCUMENTS_AT_ONCE, DOCUMENTS_A_MINUTE)
    relay = RelayServicer(door, requests, parts.neighbours.relay, relays, limits, ended)
    device = DeviceServicer(
        door=door,
        requests=requests,
        enrolment=parts.enrolment(),
        registrar=parts.neighbours.registrar,
        keys=parts.neighbours.keys,
        actions=parts.key_actions(),
        emergency=parts.emergency(),
        renewal=parts.renewal(collection),
        calls=CallGate(KEY_CALLS_A_MINUTE),
    )
    shown = RequestsServicer(
        door=door,
        requests=requests,
        files=files,
        offers=Offers(parts.engine),
        history=History(parts.engine),
        closing=parts.closing(),
        notices=parts.notices,
        watches=StreamGate(limits.streams, limits.streams_a_minute),
        documents=documents,
        clock=parts.clock,
    )
    results = ResultsServicer(door, requests, files, collection, documents, parts.clock)
    add_RelayServiceServicer_to_server(relay, server)
    add_DeviceServiceServicer_to_server(device, server)
    add_RequestsServiceServicer_to_server(shown, server)
    add_ResultsServiceServicer_to_server(results, server)
    parts.offers().add_phones(server, door, collection)


def add_enrolment_service(server: grpc.aio.Server, parts: Parts) -> None:
    """Register what a phone without a certificate may call."""
    add_EnrolmentServiceServicer_to_server(EnrolmentServicer(parts.enrolment()), server)
    add_EmergencyServiceServicer_to_server(
        EmergencyServicer(parts.emergency(), SourceGate()), server
    )


def add_internal_services(
    server: grpc.aio.Server, parts: Parts, collection: Collection
) -> tuple[str, ...]:
    """Register what other processes may call; return the full names of the services."""
    servicer = SigningServicer(
        requests=Requests(parts.engine),
        files=Files(parts.engine),
        certificates=Certificates(parts.engine),
        creation=parts.creation(),
        collection=collection,
        closing=parts.closing(),
        notices=parts.notices,
        clock=parts.clock,
    )
    add_SigningServiceServicer_to_server(servicer, server)
    trust = add_trust(server, TrustDesk(parts.neighbours.trust))
    seals = parts.seals().add(server)
    access = Access(parts.neighbours.officers)
    audit = parts.audit.add_services(server, access)
    vault_id = parts.neighbours.vault_id
    offers = parts.offers().add_internal(server, collection)
    partners = parts.partners()
    admin = add_admin_service(server, parts.engine, access, collection, vault_id, partners)
    more = (*add_login(server, parts.logins()), *partners.add(server))
    return ("signer.internal.v1.SigningService", *offers, *trust, *seals, *audit, *admin, *more)
