"""A vault's login keys in memory; no check of what it signs."""

import json
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from signer_core.login.ports import KeyRole, LoginKey


@dataclass
class FakeVaultLogin:
    """Port `VaultLogin`; what it signed is in `signed`."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    signed: list = field(default_factory=list)

    async def keys(self):
        point = self.key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return [LoginKey("login-1", KeyRole.CURRENT, point)]

    async def sign_id_token(self, payload):
        self.signed.append(json.loads(payload))
        header = {"alg": "ES256", "kid": "login-1", "typ": "JWT"}
        return jwt.encode(header, self.signed[-1], self.key)

    async def pairwise_subject(self, sector, person_code):
        return sha256(f"{sector} {person_code}".encode()).digest()
