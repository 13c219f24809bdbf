"""Signing records of partners, and suspending partners; whoever calls has checked who asks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from hsm_module.partners.claims import parse_claims
from hsm_module.storage.store import Store
from hsm_module.storage.transaction import Transaction
from hsm_module.token.port import KeyLabel, Token
from signer_core.admin.officers import Grounds
from signer_core.audit.events import Event
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError, UnavailableError
from signer_core.identity.relying_party import verify_relying_party
from signer_core.partners.ports import MAX_PAGE, VaultPartner
from signer_core.partners.sandbox import check_sandbox, is_sandbox_id
from signer_core.pki.relying_party import PartnerDescription, sign_relying_party

REGISTRY: Final = KeyLabel("registry")
MAX_SANDBOX: Final = 10_000  # partners that developers may make: 40 MB, and 320 KB of marks


@dataclass(frozen=True, slots=True)
class PartnerDesk:
    """The registry's key, and who it signed for. Port `VaultPartners`, and what officers may."""

    store: Store
    token: Token
    has_sandbox: bool = False
    max_sandbox: int = MAX_SANDBOX

    async def find(self, partner_id: str) -> VaultPartner | None:
        """See `VaultPartners.find`."""
        async with self.store.reading() as transaction:
            return await transaction.partners.find(partner_id)

    async def page(self, after: str, limit: int) -> Sequence[VaultPartner]:
        """See `VaultPartners.page`."""
        if not 1 <= limit <= MAX_PAGE or not after.isprintable():
            raise InvalidRequestError(
                f"a page has 1 to {MAX_PAGE} partners, and begins after an id"
            )
        async with self.store.reading() as transaction:
            return await transaction.partners.page(after, limit)

    async def sign(self, description: str, grounds: Grounds) -> VaultPartner:
        """See `VaultAdmin.sign_partner`.

        1. Every claim is checked here, whatever officer and tool say.
        2. The id is none that developers get.
        3. A suspended partner is not signed again.
        4. The same once more changes nothing; anything else is a record with a later time.
        """
        self.store.verify_audited()
        wanted = parse_claims(description)  # 1
        if is_sandbox_id(wanted.id):  # 2
            raise InvalidRequestError("ids of this form are given by the sandbox: take another")
        async with self.store.transaction() as transaction:
            await transaction.partners.take_turn()
            before = await transaction.partners.find(wanted.id)
            if before is not None and not before.active:  # 3
                raise DeniedError("this partner is suspended: resume it first")
            if before is not None and await self._description(before) == wanted:  # 4
                return before
            partner = await self._sign(transaction, wanted, before, sandbox=False)
            result = "added" if before is None else "changed"
            await transaction.record(_event(partner, result, grounds.reason))
        return partner

    async def set_active(self, partner_id: str, grounds: Grounds, *, active: bool) -> VaultPartner:
        """See `VaultAdmin.set_partner_active`."""
        async with self.store.transaction() as transaction:
            await transaction.partners.take_turn()
            before = await transaction.partners.find(partner_id)
            if before is None:
                raise NotFoundError("there is no such partner")
            if before.active is active:
                return before
            partner = replace(before, active=active, changed_at_s=await transaction.now_s())
            await transaction.partners.save(partner)
            result = "resumed" if active else "suspended"
            await transaction.record(_event(partner, result, grounds.reason))
        return partner

    async def sign_sandbox(self, description: str) -> VaultPartner:
        """See `VaultPartners.sign_sandbox`.

        1. This vault has a sandbox.
        2. The record says of itself that it is made up.
        3. The id is new, and there is room.
        """
        if not self.has_sandbox:  # 1
            raise DeniedError("this system has no sandbox")
        self.store.verify_audited()
        wanted = parse_claims(description)
        check_sandbox(wanted)  # 2
        async with self.store.transaction() as transaction:
            await transaction.partners.take_turn()
            if await transaction.partners.find(wanted.id) is not None:  # 3
                raise InvalidRequestError("this id is taken")
            if await transaction.partners.count_sandbox() >= self.max_sandbox:  # 3
                raise UnavailableError("the sandbox is full: ask an officer")
            partner = await self._sign(transaction, wanted, None, sandbox=True)
            await transaction.record(_event(partner, "added", "sandbox"))
        return partner

    async def adopt(self, records: Sequence[str]) -> None:
        """Take over records that the ceremony signed, where there is none or an older one.

        A suspended partner stays so, and a later record that an officer ordered stays, too.

        Raises:
            VerificationError: a record is not the registry's, or a row was altered.
        """
        key = await self.token.public_key(REGISTRY)
        async with self.store.transaction() as transaction:
            await transaction.partners.take_turn()
            for record in records:
                await _adopt(transaction, record, key)

    async def _sign(
        self,
        transaction: Transaction,
        wanted: PartnerDescription,
        before: VaultPartner | None,
        *,
        sandbox: bool,
    ) -> VaultPartner:
        now_s = await transaction.now_s()
        earlier_s = 0 if before is None else (await self._issued_at_s(before))
        record = wanted.issued(max(now_s, earlier_s + 1))  # later, even where a clock went back
        signed = await self.token.use_key(REGISTRY, lambda key: sign_relying_party(record, key))
        partner = VaultPartner(wanted.id, signed, active=True, changed_at_s=now_s, sandbox=sandbox)
        await transaction.partners.save(partner)
        return partner

    async def _description(self, partner: VaultPartner) -> PartnerDescription:
        key = await self.token.public_key(REGISTRY)
        return verify_relying_party(partner.record, key).description()

    async def _issued_at_s(self, partner: VaultPartner) -> int:
        key = await self.token.public_key(REGISTRY)
        return verify_relying_party(partner.record, key).issued_at


async def _adopt(transaction: Transaction, record: str, key: ec.EllipticCurvePublicKey) -> None:
    party = verify_relying_party(record, key)
    before = await transaction.partners.find(party.id)
    if before is not None and (
        not before.active or verify_relying_party(before.record, key).issued_at >= party.issued_at
    ):
        return
    now_s = await transaction.now_s()
    partner = VaultPartner(party.id, record, active=True, changed_at_s=now_s, sandbox=False)
    await transaction.partners.save(partner)
    result = "added" if before is None else "changed"
    await transaction.record(_event(partner, result, "ceremony"))


def _event(partner: VaultPartner, result: str, reason: str) -> Event:
    return Event("partner", result, reason=reason, subject=partner.partner_id)
