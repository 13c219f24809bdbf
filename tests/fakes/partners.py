"""What tests say about partners."""

import json

from cryptography.hazmat.primitives.asymmetric import ec

from signer_core.partners.sandbox import describe_sandbox, new_sandbox_id
from signer_core.pki.partner_key import base64url
from signer_core.pki.relying_party import PartnerDescription

RETURN_ADDRESS = "https://bank.example/return"
BANK = {
    "id": "bank",
    "name_uk": "Банк",
    "name_en": "Bank",
    "logo_sha256": "0" * 64,
    "return_addresses": [RETURN_ADDRESS],
    "scopes": ["auth", "profile", "documentSigning"],
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
