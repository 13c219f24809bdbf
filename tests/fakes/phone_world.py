"""A deployment in one process for a phone: PKI, vault behind real TLS, and a signer.

The signer is honest until a test changes what it says.
"""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from joserfc import jws

from mobile_share.deployment import Deployment
from mobile_share.keystore import device_key_hash
from mobile_share.ports import (
    EnrolmentGrant,
    KeyReport,
    OtherKey,
    RenewedChains,
    RequestStatus,
    UntrustedFile,
    UntrustedRequest,
)
from signer_core.documents import prepare_pdf, signed_attributes
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId, RequestId
from signer_core.protocol.key_action import KeyAction, action_hash
from signer_core.protocol.request import request_hash
from signer_core.protocol.suspend_code import suspend_code_hash
from tests.fakes.citizen import NOW, name
from tests.fakes.phone_offers import PUBLIC_URL, FakeOffers
from tests.fakes.phone_pki import PERSON, RETURN_ADDRESS, VAULT_ID, Pki, certify, der, pem, sign_jws
from tests.fakes.phone_vault import FakeVault

CODE = "ABCD-EFGH"
PDF = (Path(__file__).parents[1] / "assets" / "one_page.pdf").read_bytes()


class FakeRelay:
    """One stream; `tap` sees every chunk (direction, bytes) and returns what goes on."""

    def __init__(self, tap) -> None:
        self.up, self.down = asyncio.Queue(), asyncio.Queue()
        self._tap = tap

    async def read(self):
        return self._tap("down", await self.down.get())

    async def write(self, records):
        await self.up.put(self._tap("up", records))


class FakeSigner:
    """Both clients of a phone, honest by default."""

    def __init__(self, pki: Pki, vault: FakeVault) -> None:
        self.pki, self.vault = pki, vault
        self.tap: Callable[[str, bytes], bytes] = lambda direction, data: data
        self.requests: dict[bytes, UntrustedRequest] = {}
        self.documents: dict[bytes, list[bytes]] = {}
        self.key_ids: dict[bytes, KeyId] = {}  # by device key hash
        self.chain: list[bytes] | None = None  # a test's own answer to issue_certificate
        self.grant_changes: dict[str, Any] = {}
        self.claim_changes: dict[str, Any] = {}
        self.declined: dict[bytes, str] = {}
        self.certificate = b""  # DER: the one in force, that a renewal names
        self.other_keys: tuple[OtherKey, ...] = ()
        self.offers = FakeOffers(self)
        self.issued: dict[bytes, bytes] = {}  # by key id, DER
        self.history: list[UntrustedRequest] = []
        self.device_keys: dict[bytes, Any] = {}  # by key id

    async def begin(self, activation_code, device_csr, photo):
        if activation_code != CODE:
            raise NotFoundError("this activation code is unknown, expired or used")
        csr = x509.load_der_x509_csr(device_csr)
        key_hash = device_key_hash(csr.public_key())
        key_id = self.key_ids.setdefault(key_hash, KeyId(self.vault.rng(16)))
        self.device_keys[key_id] = csr.public_key()
        claims = {
            "person": "person",
            "key_id": key_id.hex(),
            "device_key": key_hash.hex(),
            "vault": VAULT_ID,
            "subject": PERSON,
        }
        token = sign_jws(
            claims | self.claim_changes, self.pki.registrar_key, "enrolment-authorisation+jwt"
        )
        uses = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH])
        subject = name(common_name=key_hash.hex())
        leaf = certify(self.pki.devices, csr.public_key(), subject, uses)
        grant = {
            "key_id": key_id,
            "vault_id": VAULT_ID,
            "authorisation": token,
            "attestation": "attestation",
            "device_chain": (leaf, der(self.pki.devices)),
            "full_name": PERSON["common_name"],
        }
        return EnrolmentGrant(**(grant | self.grant_changes))

    def _tap_now(self, direction, data):
        return self.tap(direction, data)

    @asynccontextmanager
    async def connect(self, key_id, request_id):
        relay = FakeRelay(self._tap_now)
        serving = asyncio.create_task(self.vault.serve(relay.up.get, relay.down.put))
        serving.add_done_callback(lambda _: relay.down.put_nowait(b""))
        try:
            yield relay
        finally:
            await asyncio.sleep(0)
            relay.up.put_nowait(b"")
            await asyncio.wait_for(serving, 5)

    async def issue_certificate(self, authorisation):
        (key_id,) = [k for k in self.key_ids.values() if k.hex() in _claims(authorisation)]
        if key_id not in self.vault.results:
            raise NotFoundError("the key has not signed its PKCS#10 yet")
        chain = self.chain or self.pki.citizen(self.vault.keys[key_id].share.public_key)
        self.issued[key_id] = chain[0]
        return chain

    async def renew_certificate(self, device_csr):
        confirmed = [
            i for i, (kind, _) in self.vault.actions.items() if kind == "certificateRenewal"
        ]
        if not set(confirmed) & set(self.vault.results):
            raise NotFoundError("no renewal was confirmed")
        (key_id,) = self.vault.keys
        csr = x509.load_der_x509_csr(device_csr)
        uses = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CLIENT_AUTH])
        subject = name(common_name=device_key_hash(csr.public_key()).hex())
        leaf = certify(self.pki.devices, csr.public_key(), subject, uses)
        person = self.chain or self.pki.citizen(self.vault.keys[key_id].share.public_key)
        return RenewedChains(tuple(person), (leaf, der(self.pki.devices)))

    async def check_photo(self, request_id, photo):
        return "attestation"

    async def list_requests(self):
        return list(self.requests.values())

    async def get_request(self, request_id):
        if request_id not in self.requests:
            raise NotFoundError("no such request")
        return self.requests[request_id]

    async def get_document(self, request_id, index):
        return self.documents[request_id][index]

    async def get_result(self, request_id):
        is_signed = request_id in self.vault.results
        return RequestStatus.CONSUMED if is_signed else RequestStatus.OPEN

    async def get_signed_document(self, request_id, index):
        return self.documents[request_id][index]

    async def decline_request(self, request_id, reason):
        self.declined[request_id] = reason

    async def watch_requests(self):
        for request_id in self.requests:
            yield request_id

    async def claim_offer(self, link):
        return self.offers.claim(link)

    async def confirm_presence(self, request_id, attestation, device_signature):
        assert attestation
        (device_key,) = self.device_keys.values()
        self.offers.confirm(request_id, device_signature, device_key)

    async def get_return_url(self, request_id):
        return self.offers.way_back(request_id)

    async def list_history(self, limit=0, before_s=0):
        rows = [one for one in self.history if not before_s or one.ended_at_s < before_s]
        return rows[: limit or 50]

    def certificates(self):
        """Return those of the enrolled keys."""
        return [x509.load_der_x509_certificate(one) for one in self.issued.values()]

    async def set_suspend_code(self, code_hash):
        (key_id,) = self.vault.keys
        if self.vault.codes.setdefault(key_id, code_hash) != code_hash:
            raise InvalidRequestError("the key has another code already")

    async def suspend(self, code):
        hashed = suspend_code_hash(code)
        found = [key for key_id, key in self.vault.keys.items() if self.is_code(key_id, hashed)]
        if not found:
            raise NotFoundError("there is no such suspend code")
        found[0].status = "suspended"

    def is_code(self, key_id, hashed):
        return self.vault.codes.get(key_id) == hashed

    async def list_other_keys(self):
        return self.other_keys

    async def request_key_action(self, action, about):
        request_id = RequestId(self.vault.rng(16))
        renewed = b""
        if action is KeyAction.RENEWAL:
            renewed = hashlib.sha256(self.certificate).digest()
        self.vault.requests[request_id] = action_hash(action, about, renewed)
        self.vault.actions[request_id] = (action, about)
        return request_id

    async def get_status(self):
        return KeyReport("active", 9, 0, len(self.vault.results), 0)

    def ask(self, certificate: x509.Certificate, pdfs: int = 1, **changes: Any) -> RequestId:
        """Make a request for PDFs to be signed under this certificate; register its hash."""
        leaf = certificate.public_bytes(serialization.Encoding.DER)
        prepared = [prepare_pdf(PDF, signer_certificate=leaf, signed_at=NOW) for _ in range(pdfs)]
        files = tuple(
            UntrustedFile(
                f"contract-{number}.pdf",
                one.file_hash,
                signed_attributes(one.file_hash, leaf),
                len(one.pdf),
            )
            for number, one in enumerate(prepared)
        )
        request_id = RequestId(self.vault.rng(16))
        fields = {
            "request_id": request_id,
            "kind": "documentSigning",
            "relying_party": self.pki.relying_party(),
            "purpose": "Договір оренди",
            "files": files,
            "return_address": RETURN_ADDRESS,
            "challenge": b"",
            "expires_at_s": int(NOW.timestamp()) + 900,
            "status": RequestStatus.OPEN,
        }
        request = UntrustedRequest(**(fields | changes))
        self.requests[request_id] = request
        self.documents[request_id] = [one.pdf for one in prepared]
        self.vault.requests[request_id] = request_hash(
            request.kind,
            request.relying_party,
            request.purpose,
            [(file.name, file.file_hash) for file in request.files if file.name],
            request.return_address,
            request.challenge,
        )
        return request_id


def public_pem(key):
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form).decode()


def _claims(token: str) -> str:
    return jws.extract_compact(token.encode()).payload.decode()


class World:
    """Everything, around one temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.pki = Pki()
        self.vault = FakeVault(self.pki, folder)
        self.signer = FakeSigner(self.pki, self.vault)
        self.deployment = Deployment(
            root_pem=pem(self.pki.root.certificate),
            registry_pem=pem(self.pki.registry.certificate),
            registrar_pem=public_pem(self.pki.registrar_key),
            vault_id=VAULT_ID,
            phone_address="127.0.0.1:7443",
            enrolment_address="127.0.0.1:7444",
            server_name="signer.internal",
            country="ua",
            public_url=PUBLIC_URL,
        )
