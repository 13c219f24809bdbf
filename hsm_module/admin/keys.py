"""Keys as officers see them, suspend, revoke, and have renewed."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from hsm_module.context import VaultContext
from hsm_module.key_transaction import OpenKey, key_transaction, retire, suspend
from hsm_module.storage.key_pages import AlteredKey
from hsm_module.storage.rows import KeyRow
from hsm_module.trust.status import set_status
from signer_core.admin.officers import Grounds, Reason
from signer_core.admin.vault import (
    MAX_BATCH,
    MAX_PAGE,
    Ending,
    KeySummary,
    KeyUsage,
    Outcome,
)
from signer_core.audit.events import Event
from signer_core.errors import InvalidRequestError, NotFoundError, VerificationError
from signer_core.identifiers import KeyId
from signer_core.keys.pin_policy import PinPolicy
from signer_core.pki import status
from signer_core.ports import KeyStatus

ENDED_BY: Final = "officer"  # what the phone's owner is told, and the audit log says
# Why a key ends, in the words of a CRL.
CRL_REASONS: Final = {
    Reason.KEY_COMPROMISE: status.Reason.KEY_COMPROMISE,
    Reason.PHONE_LOST: status.Reason.KEY_COMPROMISE,
    Reason.PERSON_DIED: status.Reason.CESSATION,
    Reason.COURT_ORDER: status.Reason.PRIVILEGE_WITHDRAWN,
    Reason.WRONG_IDENTITY: status.Reason.PRIVILEGE_WITHDRAWN,
    Reason.OWNER_ASKED: status.Reason.UNSPECIFIED,
}
_RESULTS: Final = {Ending.SUSPEND: "suspended", Ending.REVOKE: "revoked"}
_FINAL: Final = {
    Ending.SUSPEND: (KeyStatus.SUSPENDED, KeyStatus.RETIRED),
    Ending.REVOKE: (KeyStatus.RETIRED,),
}


@dataclass(frozen=True, slots=True)
class KeyDesk:
    """Works on the vault's keys; whoever calls has checked who asks."""

    vault: VaultContext

    async def list_keys(self, after: bytes, limit: int, kek_id: str) -> Sequence[KeySummary]:
        """See `VaultAdmin.list_keys`."""
        if not 1 <= limit <= MAX_PAGE:
            raise InvalidRequestError(f"a page has 1 to {MAX_PAGE} keys")
        async with self.vault.store.reading() as transaction:
            rows = await transaction.pages.page(after, limit, kek_id)
        return [_summary(row, self.vault.policy) for row in rows]

    async def get_keys(self, key_ids: Sequence[KeyId]) -> Sequence[KeySummary]:
        """See `VaultAdmin.get_keys`."""
        _check_batch(key_ids, MAX_PAGE)
        async with self.vault.store.reading() as transaction:
            rows = await transaction.pages.those(key_ids)
        return [_summary(row, self.vault.policy) for row in rows]

    async def usage(self, key_id: KeyId) -> KeyUsage:
        """See `VaultAdmin.usage`."""
        async with self.vault.store.reading() as transaction:
            rows = await transaction.pages.those([key_id])
            requests = await transaction.pages.requests_by_state(key_id)
        if not rows:
            raise NotFoundError("the vault has no such key")
        return KeyUsage(_summary(rows[0], self.vault.policy), requests)

    async def end(
        self, key_ids: Sequence[KeyId], ending: Ending, grounds: Grounds
    ) -> Sequence[Outcome]:
        """See `VaultAdmin.end_keys`."""
        _check_batch(key_ids, MAX_BATCH)
        if grounds.reason not in CRL_REASONS:
            raise InvalidRequestError(f"a key ends for one of: {', '.join(CRL_REASONS)}")
        return await self._each(key_ids, lambda key: _end(key, ending, grounds))

    async def mark_for_refresh(
        self, key_ids: Sequence[KeyId], grounds: Grounds
    ) -> Sequence[Outcome]:
        """See `VaultAdmin.mark_for_refresh`."""
        _check_batch(key_ids, MAX_BATCH)
        return await self._each(key_ids, lambda key: _mark(key, grounds))

    async def _each(
        self, key_ids: Sequence[KeyId], work: Callable[[OpenKey], Awaitable[Outcome]]
    ) -> Sequence[Outcome]:
        async def one(key_id: KeyId) -> Outcome:
            try:
                async with key_transaction(self.vault.store, key_id) as key:
                    return await work(key)
            except NotFoundError:
                return Outcome.MISSING
            except VerificationError:
                return Outcome.ALTERED

        return await asyncio.gather(*map(one, key_ids))


async def _end(key: OpenKey, ending: Ending, grounds: Grounds) -> Outcome:
    if key.row.status in _FINAL[ending]:
        return Outcome.ALREADY
    transaction, key_id = key.transaction, key.row.key_id
    for request_id in await transaction.requests.open_ids(key_id):
        await transaction.requests.burn(request_id)
        await transaction.record(Event("request", "burned", key_id, request_id))
    event = Event(
        "officer-key",
        _RESULTS[ending],
        key_id,
        reason=grounds.reason,
        subject=grounds.ticket,
    )
    await transaction.record(event)
    if ending is Ending.SUSPEND:
        await suspend(transaction, key.row, ENDED_BY)
    else:
        await set_status(transaction, key_id, status.Status.REVOKED, CRL_REASONS[grounds.reason])
        await retire(transaction, key.row, ENDED_BY)
    return Outcome.DONE


async def _mark(key: OpenKey, grounds: Grounds) -> Outcome:
    """Whoever has the database may know every generation there is: only the next will do."""
    refresh_from = key.row.generations[-1].number + 1
    ended = key.row.status in (KeyStatus.SUSPENDED, KeyStatus.RETIRED)
    if ended or (key.row.refresh_from or 0) >= refresh_from:
        return Outcome.ALREADY
    await key.transaction.keys.save(replace(key.row, refresh_from=refresh_from))
    event = Event(
        "officer-key",
        "refresh-due",
        key.row.key_id,
        reason=grounds.reason,
        subject=grounds.ticket,
    )
    await key.transaction.record(event)
    return Outcome.DONE


def _check_batch(key_ids: Sequence[KeyId], limit: int) -> None:
    if not 1 <= len(key_ids) <= limit or len(set(key_ids)) != len(key_ids):
        raise InvalidRequestError(f"1 to {limit} keys at once, each once")
    if any(len(key_id) != 16 for key_id in key_ids):
        raise InvalidRequestError("a key id has 16 bytes")


def _summary(row: KeyRow | AlteredKey, policy: PinPolicy) -> KeySummary:
    if isinstance(row, AlteredKey):
        return KeySummary(row.key_id, KeyStatus.SUSPENDED, altered=True)
    blocked = policy.attempts_left(row.failed, row.lifetime_failed) == 0
    is_blocked = row.status is KeyStatus.ACTIVE and blocked
    return KeySummary(
        key_id=row.key_id,
        status=KeyStatus.BLOCKED if is_blocked else row.status,
        ended_by=row.ended_by or "",
        must_refresh=row.must_refresh,
        failed=row.failed,
        lifetime_failed=row.lifetime_failed,
        hold_until_s=row.hold_until_s,
        signatures=row.signatures,
        generation=row.current.number,
        kek_id=row.current.kek_id,
        certified=row.certificate_sha256 is not None,
    )
