"""A transaction on one key, after any judgement that its process did not live to finish."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

import structlog

from hsm_module.storage.beside import Beside
from hsm_module.storage.known import DatabaseTime, Known
from hsm_module.storage.rows import KeyRow
from hsm_module.storage.store import Store
from hsm_module.storage.transaction import Transaction
from hsm_module.trust.status import set_status
from signer_core.audit.events import Event
from signer_core.identifiers import KeyId, RequestId
from signer_core.pki.status import Reason, Status
from signer_core.ports import KeyStatus

MAX_UNRESOLVED: Final = 3  # docs/spec/ecdsa2p.md §3.1.6

# Why a key was retired, in the words of a CRL, where there is more to say than nothing. Whoever
# made the arithmetic wrong, or the judging process die three times, may know a share.
_REASONS: Final = {
    "replaced": Reason.SUPERSEDED,
    "unresolved": Reason.KEY_COMPROMISE,
    "wrong-arithmetic": Reason.KEY_COMPROMISE,
}

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OpenKey:
    """A key's row in a transaction: locked, or known."""

    transaction: Transaction
    row: KeyRow
    now_s: int  # Unix time, by the database's clock
    time: DatabaseTime  # when the row was read

    def known(self, request_id: RequestId | None = None) -> Known:
        """Return what the transaction read and wrote, once it has ended well."""
        seen = self.transaction.requests.seen
        request = None if request_id is None else seen.get(request_id)
        return Known(self.transaction.keys.seen[self.row.key_id], request, self.time)


@asynccontextmanager
async def key_transaction(
    store: Store, key_id: KeyId, beside: Beside | None = None
) -> AsyncIterator[OpenKey]:
    """Open a transaction with the key locked; an overdue judgement is settled first (§3.1.6).

    That costs its own commit, so that it stays whatever becomes of the caller's transaction. What
    is `beside` the key is locked with it.

    Raises:
        NotFoundError: no such key.
        AlteredRowError: the key's row is not as the vault wrote it; audited.
    """
    while True:
        async with store.transaction() as transaction:
            row, now_s = await transaction.keys.get(key_id, beside)
            if not _is_overdue(row, now_s):
                yield OpenKey(transaction, row, now_s, DatabaseTime(now_s))
                return
            await _settle(transaction, row)


@asynccontextmanager
async def judged_transaction(
    store: Store, key_id: KeyId, beside: Beside | None = None
) -> AsyncIterator[OpenKey]:
    """Like `key_transaction`, for whoever judges the key now: no judgement is settled."""
    async with store.transaction() as transaction:
        row, now_s = await transaction.keys.get(key_id, beside)
        yield OpenKey(transaction, row, now_s, DatabaseTime(now_s))


@asynccontextmanager
async def key_reading(
    store: Store, key_id: KeyId, beside: Beside | None = None
) -> AsyncIterator[OpenKey]:
    """Like `key_transaction`, but only to read: no write lock unless a judgement is overdue.

    Key and what is `beside` it are of one state; whatever else is read may be of a later one.
    """
    async with store.reading_once() as transaction:
        row, now_s = await transaction.keys.get(key_id, beside)
        if not _is_overdue(row, now_s):
            yield OpenKey(transaction, row, now_s, DatabaseTime(now_s))
            return
    async with key_transaction(store, key_id) as key:  # a stranger's request is not locked
        yield key


def _is_overdue(row: KeyRow, now_s: int) -> bool:
    return row.judging is not None and now_s >= row.judging.deadline_s


async def _settle(transaction: Transaction, row: KeyRow) -> None:
    """Count a judgement whose process died as unresolved; its try stays counted as failed."""
    assert row.judging is not None  # noqa: S101  for the type checker; the caller looked
    unresolved = row.unresolved + 1
    if unresolved >= MAX_UNRESOLVED:
        await retire(transaction, replace(row, unresolved=unresolved), "unresolved")
        return
    await _burn_judged(transaction, row)
    await transaction.keys.save(replace(row, unresolved=unresolved, judging=None, live_sid=None))
    event = Event("judgement-unresolved", "counted", row.key_id, row.judging.request_id)
    await transaction.record(event)


async def retire(transaction: Transaction, row: KeyRow, reason: str) -> None:
    """End a key for ever (§3.1.4): burn what is being judged, revoke its certificates.

    Lock every key of the transaction before: revocations share a lock. Whoever has another reason
    for the certificates says it to `set_status` first.
    """
    await _burn_judged(transaction, row)
    await transaction.keys.save(_ended(row, KeyStatus.RETIRED, reason))
    await transaction.record(Event("key-retired", "retired", row.key_id, reason=reason))
    await transaction.record(Event("certificate-revocation", "queued", row.key_id))
    await set_status(
        transaction, row.key_id, Status.REVOKED, _REASONS.get(reason, Reason.UNSPECIFIED)
    )


async def suspend(transaction: Transaction, row: KeyRow, reason: str) -> None:
    """Suspend a key: never resumed, only enrolled again (§5). What is being judged is void."""
    await _burn_judged(transaction, row)
    await transaction.keys.save(_ended(row, KeyStatus.SUSPENDED, reason))
    await transaction.record(Event("key-suspended", "suspended", row.key_id, reason=reason))
    await transaction.record(Event("notify-owner", "queued", row.key_id, reason=reason))
    await transaction.record(Event("certificate-hold", "queued", row.key_id))
    await set_status(transaction, row.key_id, Status.SUSPENDED, Reason.HOLD)
    _log.warning("key-suspended", key_id=row.key_id.hex(), reason=reason)


def _ended(row: KeyRow, status: KeyStatus, reason: str) -> KeyRow:
    return replace(row, status=status, ended_by=reason, judging=None, live_sid=None)


async def _burn_judged(transaction: Transaction, row: KeyRow) -> None:
    if row.judging is not None and row.judging.request_id is not None:
        await transaction.requests.burn(row.judging.request_id)
