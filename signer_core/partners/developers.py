"""A developer's own partner of the sandbox: described, signed by the vault, stored, told once."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from signer_core.errors import DeniedError
from signer_core.partners.example import Examples
from signer_core.partners.following import PartnerFollowing
from signer_core.partners.jwk import parse_public_jwk
from signer_core.partners.ports import VaultPartners
from signer_core.partners.sandbox import describe_sandbox, new_sandbox_id
from signer_core.partners.secrets import Secrets

Admit = Callable[[str], None]  # raises UnavailableError where a source, or all, asked too often
NOBODY: Final = "this system has no sandbox: ask an officer to add your partner"


@dataclass(frozen=True, slots=True)
class NewPartner:
    """What a developer asks for."""

    name: str
    return_addresses: Sequence[str]
    callback_address: str
    public_jwk: str  # JSON; empty: a secret is made
    source: str  # where the developer's browser is


@dataclass(frozen=True, slots=True)
class MadePartner:
    """What the developer is told, once."""

    partner_id: str
    secret: str = field(repr=False)  # empty where a key was given
    example_id_token: str = field(repr=False)  # empty where the vault signs none


@dataclass(frozen=True, slots=True)
class Developers:
    """Makes partners of the sandbox."""

    has_sandbox: bool
    vault: VaultPartners
    following: PartnerFollowing
    secrets: Secrets
    examples: Examples
    admit: Admit

    async def create(self, new: NewPartner) -> MadePartner:
        """Make a partner.

        1. There is a sandbox.
        2. The wish is one that the registry would sign: nothing is counted before that.
        3. The source, and all together, have not asked too often.
        4. The vault signs; then the record is stored, and the hash of the secret.

        Raises:
            DeniedError: 1, or the vault says so.
            InvalidRequestError: 2.
            UnavailableError: 3, or the vault is away.
        """
        if not self.has_sandbox:  # 1
            raise DeniedError(NOBODY)
        keys = [parse_public_jwk(new.public_jwk)] if new.public_jwk else []
        partner_id = new_sandbox_id()
        described = describe_sandbox(  # 2
            partner_id, new.name, new.return_addresses, new.callback_address, keys
        )
        self.admit(new.source)  # 3
        await self.vault.sign_sandbox(json.dumps(described.model_dump(mode="json")))  # 4
        await self.following.follow(partner_id)
        secret = "" if keys else await self.secrets.make(partner_id, "sandbox")
        return MadePartner(partner_id, secret, await self.examples.id_token(partner_id))
