"""Vault and registrar as the signer sees them, in memory."""

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer_core.errors import InvalidRequestError, NotFoundError, UnavailableError
from signer_core.identifiers import DeviceKeyHash, KeyId
from signer_core.identity.attestation import sign_attestation
from signer_core.pki.device import device_key_hash, issue_device
from signer_core.pki.issuing import BACKDATE
from signer_core.ports import (
    CertificateChain,
    EnrolmentGrant,
    KeyState,
    KeyStatus,
    Renewed,
    RequestResult,
    RequestState,
    SignedItem,
)
from tests.fakes.citizen import Citizen
from tests.fakes.login import FakeVaultLogin
from tests.fakes.partners import FakeVaultPartners
from tests.fakes.pki import Hierarchy, issuance, new_key
from tests.fakes.requests import PERSON_CODE, issued_to
from tests.fakes.seals import FakeVaultSeals, Pki
from tests.fakes.vault_audit import FakeOfficers, FakeVaultAudit


@dataclass
class FakeVault:
    """Requests, keys and the relay of a vault that holds citizens' whole keys."""

    hierarchy: Hierarchy
    now: object  # () -> datetime
    away: bool = False
    refusal: Exception | None = None  # what register raises
    registered: dict = field(default_factory=dict)
    states: dict = field(default_factory=dict)
    items: dict = field(default_factory=dict)
    citizens: dict = field(default_factory=dict)  # by key id
    calls: list = field(default_factory=list)
    received: list = field(default_factory=list)  # what came through the relay
    codes: dict = field(default_factory=dict)  # by key id
    renewed: dict = field(default_factory=dict)  # by key id: who they are from now on
    suspended: list = field(default_factory=list)  # key ids
    telling: dict = field(default_factory=dict)  # beside the relayed bytes: items by request id
    relay_error: Exception | None = None
    flood: bool = False  # answer without end
    flooded: int = 0
    hang_up: asyncio.Event = field(default_factory=asyncio.Event)
    relay_ended: asyncio.Event = field(default_factory=asyncio.Event)
    seals: FakeVaultSeals = field(default_factory=lambda: FakeVaultSeals(Pki()))
    login: FakeVaultLogin = field(default_factory=FakeVaultLogin)
    audit: FakeVaultAudit = field(default_factory=FakeVaultAudit)
    officers: FakeOfficers = field(default_factory=FakeOfficers)
    partners: FakeVaultPartners = field(default_factory=FakeVaultPartners)

    def _call(self, name):
        self.calls.append(name)
        if self.away:
            raise UnavailableError("the vault is away")

    async def register(self, registration):
        self._call("register")
        if self.refusal:
            raise self.refusal
        known = self.registered.setdefault(registration.request_id, registration)
        if known != registration:
            raise InvalidRequestError("this id is taken")
        self.states.setdefault(registration.request_id, RequestState.OPEN)

    async def burn(self, request_id):
        self._call("burn")
        if self.states[request_id] not in (RequestState.OPEN, RequestState.BURNED):
            raise InvalidRequestError("consumed or being judged")
        self.states[request_id] = RequestState.BURNED

    async def result(self, request_id):
        self._call("result")
        if request_id not in self.states:
            raise NotFoundError("no such request")
        return RequestResult(self.states[request_id], tuple(self.items.get(request_id, ())))

    async def issue_device_certificate(self, authorisation, device_csr):
        self._call("issue_device_certificate")
        csr = x509.load_der_x509_csr(device_csr)
        issuer = self.hierarchy.device
        certificate = issue_device(issuer, issuance(self.now()), csr.public_key())
        return CertificateChain(_der(certificate), (_der(issuer.certificate),))

    async def issue_certificate(self, key_id, authorisation):
        self._call("issue_certificate")
        if key_id not in self.citizens:
            raise NotFoundError("this key has not signed its PKCS#10 request")
        return issued_to(self.citizens[key_id])

    async def renew_certificate(self, key_id, device_csr):
        """Renew for whoever confirmed; the fake's new certificate is on a new key."""
        self._call("renew_certificate")
        if key_id not in self.renewed:
            raise NotFoundError("no renewal was confirmed")
        self.citizens[key_id] = self.renewed[key_id]
        device = await self.issue_device_certificate("", device_csr)
        return Renewed(issued_to(self.citizens[key_id]), device)

    async def key_state(self, key_id):
        self._call("key_state")
        return KeyState(KeyStatus.ACTIVE, 9, 0, 3, 1, DeviceKeyHash(b"d" * 32))

    async def set_suspend_code(self, key_id, code_hash):
        self._call("set_suspend_code")
        if self.codes.setdefault(key_id, code_hash) != code_hash:
            raise InvalidRequestError("this key has a suspend code already")

    async def suspend_by_code(self, code_hash):
        self._call("suspend_by_code")
        found = [key_id for key_id, known in self.codes.items() if known == code_hash]
        if not found:
            raise NotFoundError(f"no key has the code {code_hash.hex()}")
        self.suspended += found

    async def relay(self, records, tell):
        """Answer each message with its hash, until the phone is done or `hang_up` is set."""
        try:
            async for one in records:
                self.received.append(one)
                for request_id, items in self.telling.items():
                    tell(request_id, items)
                if self.relay_error:
                    raise self.relay_error
                while self.flood:
                    self.flooded += 1
                    yield bytes(65_536)
                yield hashlib.sha256(one).digest()
                if self.hang_up.is_set():
                    return
        finally:
            self.relay_ended.set()

    # --- what a test makes happen ---

    def confirm(self, request_id):
        """Consume a request about a key: it signs nothing."""
        self.states[request_id] = RequestState.CONSUMED

    def sign(self, request_id, attributes):
        """Consume a request: sign these CMS attributes with the citizen's key."""
        citizen = self.citizens[self.registered[request_id].key_id]
        self.items[request_id] = [SignedItem("cms", one, citizen.sign(one)) for one in attributes]
        self.states[request_id] = RequestState.CONSUMED


@dataclass
class FakeRegistrar:
    """Knows everybody; each code enrols one device under a new key id."""

    now: object  # () -> datetime
    key: object = field(default_factory=new_key)
    away: bool = False
    grants: dict = field(default_factory=dict)
    attested: list = field(default_factory=list)

    async def authorise_enrolment(self, activation_code, device_key_hash, vault_id, photo):
        if self.away:
            raise UnavailableError("the registrar is away")
        if activation_code == "unknown":
            raise NotFoundError("this code is unknown")
        known = (activation_code, device_key_hash)
        if known not in self.grants:
            key_id = KeyId(secrets.token_bytes(16))
            self.grants[known] = EnrolmentGrant(key_id, "authorisation", "attestation", "Ім’я")
        return self.grants[known]

    async def attest_photo(self, device_key_hash, request_id, photo):
        self.attested.append((device_key_hash, request_id, photo))
        return sign_attestation(device_key_hash, request_id, self.now(), self.key)


def new_citizen(now, person_code=PERSON_CODE):
    return Citizen.make(tax_number=person_code, issued_at=now, backdated=BACKDATE)


def _der(certificate):
    return certificate.public_bytes(Encoding.DER)


__all__ = ["FakeRegistrar", "FakeVault", "device_key_hash", "new_citizen"]
