"""Signing ID tokens, and names for people that differ from partner to partner."""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from hsm_module.login.keys import LoginKeyring
from hsm_module.login.payload import verify_payload
from hsm_module.token.port import Token
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.login.ports import LoginKey

_PAIRWISE: Final = b"diia-signer/vault/pairwise/v1"
_NAME_CHARACTERS: Final = 255  # of a sector; of a person code
_PREHASHED: Final = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


@dataclass(frozen=True, slots=True)
class LoginOffice:
    """Port `signer_core.login.ports.VaultLogin`."""

    token: Token
    keyring: LoginKeyring
    issuer: str  # the only one whose ID tokens are signed; empty: none
    now: Callable[[], datetime]  # UTC

    async def keys(self) -> Sequence[LoginKey]:
        """See `VaultLogin.keys`."""
        return (await self.keyring.published()).keys

    async def sign_id_token(self, payload: bytes) -> str:
        """See `VaultLogin.sign_id_token`. The signature is checked before anybody sees it.

        Raises:
            VerificationError: the token's key is damaged.
        """
        verify_payload(payload, self.issuer, int(self.now().timestamp()))
        label = await self.keyring.current()
        header = json.dumps({"alg": "ES256", "kid": label, "typ": "JWT"}, separators=(",", ":"))
        signed = _encode(header.encode()) + b"." + _encode(payload)
        digest = hashlib.sha256(signed).digest()
        signature = await self.token.sign_digest(label, digest)
        try:
            (await self.token.public_key(label)).verify(signature, digest, _PREHASHED)
        except InvalidSignature:
            raise VerificationError("the token's login key is damaged") from None
        r, s = utils.decode_dss_signature(signature)
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")  # RFC 7518 §3.4
        return (signed + b"." + _encode(raw)).decode()

    async def pairwise_subject(self, sector: str, person_code: str) -> bytes:
        """See `VaultLogin.pairwise_subject`: an HMAC under the state key of the token."""
        parts = [one.encode() for one in (sector, person_code)]
        if not all(1 <= len(part) <= _NAME_CHARACTERS for part in parts):
            raise InvalidRequestError("sector and person have 1 to 255 bytes each")
        return await self.token.mac(
            _PAIRWISE + b"".join(len(part).to_bytes(2, "big") + part for part in parts)
        )


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
