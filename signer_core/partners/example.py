"""An ID token of a person who does not exist, for a developer's code to be tried on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from signer_core.errors import SignerError
from signer_core.login.ports import VaultLogin

LIFE_S: Final = 600  # what the vault signs at most
_PERSON: Final = {
    "sub": "example",  # subjects of people have 43 characters
    "name": "Приклад Вигаданий",
    "given_name": "Вигаданий",
    "family_name": "Приклад",
    "nonce": "example",
    "acr": "example",  # no level at all: a client that asks for one refuses it
}


@dataclass(frozen=True, slots=True)
class Examples:
    """Makes example tokens."""

    vault: VaultLogin
    issuer: str
    clock: Callable[[], datetime]  # UTC

    async def id_token(self, partner_id: str) -> str:
        """Return an ID token for this partner alone, or "" where the vault signs none."""
        now_s = int(self.clock().timestamp())
        times = {"iat": now_s, "exp": now_s + LIFE_S, "auth_time": now_s}
        claims = {"iss": self.issuer, "aud": partner_id, **times, **_PERSON, "amr": ["example"]}
        try:
            return await self.vault.sign_id_token(json.dumps(claims, ensure_ascii=False).encode())
        except SignerError:  # the partner is made: it needs no example to work
            return ""
