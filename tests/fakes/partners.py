"""What tests say about partners."""

import json
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.errors import DeniedError, UnavailableError, VerificationError
from signer_core.partners.ports import VaultPartner
from signer_core.partners.sandbox import describe_sandbox, new_sandbox_id
from signer_core.pki.partner_key import base64url
from signer_core.pki.relying_party import (
    PartnerDescription,
    parse_description,
    sign_relying_party,
)
from signer_core.protocol.request_kind import RequestKind
from tests.fakes.pki import new_key

RETURN_ADDRESS = "https://bank.example/return"
BANK = {
    "id": "bank",
    "name_uk": "Банк",
    "name_en": "Bank",
    "logo_sha256": "0" * 64,
    "return_addresses": [RETURN_ADDRESS],
    "scopes": [*RequestKind, "profile", "person_code", "birthdate"],
    "callback_address": "",
    "keys": [],
}


def described(**changes: object) -> str:
    """Return the bank's claims as JSON, or what `changes` say instead."""
    return json.dumps(BANK | changes)


def made_up(**changes: object) -> str:
    """Return the claims of a new partner of the sandbox as JSON."""
    claims = sandbox_description().model_dump(mode="json")
    return json.dumps(claims | changes)


def sandbox_description(name: str = "Моя крамниця") -> PartnerDescription:
    return describe_sandbox(new_sandbox_id(), name, [RETURN_ADDRESS], "", [])


def public_jwk(key: ec.EllipticCurvePrivateKey, kid: str = "first") -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    x, y = (base64url(part.to_bytes(32, "big")) for part in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "kid": kid, "x": x, "y": y}


@dataclass
class FakeVaultPartners:
    """The vault's registry of partners, in memory: the bank is there from the beginning."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    has_sandbox: bool = True
    away: bool = False
    altered: set[str] = field(default_factory=set)
    partners: dict[str, VaultPartner] = field(default_factory=dict)
    at_s: int = 1000

    def __post_init__(self) -> None:
        self.sign(described())

    @property
    def record(self) -> str:
        return self.partners["bank"].record

    def sign(self, description: str, *, sandbox: bool = False) -> VaultPartner:
        """Sign as an officer would have it."""
        self.at_s += 1
        record = parse_description(json.loads(description)).issued(self.at_s)
        partner = VaultPartner(
            record.id,
            sign_relying_party(record, self.key),
            active=True,
            changed_at_s=self.at_s,
            sandbox=sandbox,
        )
        self.partners[record.id] = partner
        return partner

    def set_active(self, partner_id: str, *, active: bool) -> None:
        self.partners[partner_id] = replace(self.partners[partner_id], active=active)

    async def find(self, partner_id: str) -> VaultPartner | None:
        self._call()
        if partner_id in self.altered:
            raise VerificationError("the vault's record was altered: it is refused")
        return self.partners.get(partner_id)

    async def page(self, after: str, limit: int) -> list[VaultPartner]:
        self._call()
        ids = sorted(one for one in self.partners if one > after)[:limit]
        return [self._shown(self.partners[one]) for one in ids]

    async def sign_sandbox(self, description: str) -> VaultPartner:
        self._call()
        if not self.has_sandbox:
            raise DeniedError("this system has no sandbox")
        return self.sign(description, sandbox=True)

    def _shown(self, partner: VaultPartner) -> VaultPartner:
        if partner.partner_id not in self.altered:
            return partner
        return replace(partner, record="", active=False, altered=True)

    def _call(self) -> None:
        if self.away:
            raise UnavailableError("the vault is away")
