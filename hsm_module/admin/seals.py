"""Seals: made and retired by officers while the vault serves (docs/flows/seals.md)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cryptography import x509

from hsm_module.authorities import ISSUING
from hsm_module.seals.office import SealOffice
from hsm_module.storage.seals import SealRule
from hsm_module.storage.statuses import CertificateName
from hsm_module.storage.transaction import Transaction
from hsm_module.trust.own_certificates import own_key_id
from hsm_module.trust.status import set_status
from signer_core.admin.officers import Grounds, Reason
from signer_core.admin.seals import SealOrder, SealSummary
from signer_core.audit.events import Event
from signer_core.errors import NotFoundError
from signer_core.pki import status

SETTLE_S: Final = 2.0  # a signature that was begun with the key has ended by then


@dataclass(frozen=True, slots=True)
class SealDesk:
    """Makes and retires seals; whoever calls has checked who asks."""

    office: SealOffice
    settle_s: float = SETTLE_S

    async def all(self) -> Sequence[SealSummary]:
        """Return every seal there ever was."""
        async with self.office.store.reading() as transaction:
            return [await _summary(transaction, one) for one in await transaction.seals.all()]

    async def add(self, order: SealOrder, grounds: Grounds) -> SealSummary:
        """See `SealAdmin.add_seal`. What died in between is repeated.

        The rule comes first, so that of two officers with one name the second is told so.
        """
        rule = SealRule(order.seal_id, order.organisation, order.callers)
        async with self.office.store.transaction() as transaction:
            if await transaction.seals.put(rule):
                await transaction.record(_event("set", rule, grounds))
        await self.office.token.make_seal_key(rule.label)
        await self.office.certificate(rule)
        return await self._one(rule.seal_id)

    async def retire(self, seal_id: str, grounds: Grounds) -> SealSummary:
        """See `SealAdmin.retire_seal`.

        1. In one transaction: the rule says so, and every certificate of the key is revoked.
        2. No process uses the key any more.
        3. The key is destroyed.
        """
        async with self.office.store.transaction() as transaction:  # 1
            rule = await transaction.seals.find(seal_id)
            if rule is None:
                raise NotFoundError("there is no such seal")
            if rule.retired_at_s is None:
                rule = replace(rule, retired_at_s=await transaction.now_s())
                await transaction.seals.put(rule)
                await transaction.record(_event("retired", rule, grounds))
                await _revoke(transaction, rule, grounds)
        await self.office.token.unpin(rule.label)  # 2
        await asyncio.sleep(self.settle_s)
        await self.office.token.destroy(rule.label)  # 3
        return await self._one(seal_id)

    async def _one(self, seal_id: str) -> SealSummary:
        async with self.office.store.reading() as transaction:
            rule = await transaction.seals.find(seal_id)
            if rule is None:
                raise NotFoundError("there is no such seal")
            return await _summary(transaction, rule)


async def _revoke(transaction: Transaction, rule: SealRule, grounds: Grounds) -> None:
    """Revoke the newest certificate, and those before it that have not run out."""
    compromised = grounds.reason is Reason.KEY_COMPROMISE
    reason = status.Reason.KEY_COMPROMISE if compromised else status.Reason.CESSATION
    newest = await transaction.own_certificates.find(rule.label)
    if newest is not None:
        name = _name(newest.certificate)
        await set_status(transaction, name, status.Status.REVOKED, reason)
    await set_status(transaction, own_key_id(rule.label), status.Status.REVOKED, reason)


async def _summary(transaction: Transaction, rule: SealRule) -> SealSummary:
    order = SealOrder(rule.seal_id, rule.organisation, rule.callers)
    newest = await transaction.own_certificates.find(rule.label)
    if newest is None:
        return SealSummary(order, rule.retired_at_s or 0)
    row = await transaction.statuses.get(_name(newest.certificate))
    return SealSummary(order, rule.retired_at_s or 0, newest.certificate, row.status.value)


def _name(der: bytes) -> CertificateName:
    return CertificateName.of(ISSUING, x509.load_der_x509_certificate(der).serial_number)


def _event(result: str, rule: SealRule, grounds: Grounds) -> Event:
    return Event("seal-rule", result, reason=grounds.reason, subject=rule.seal_id)
