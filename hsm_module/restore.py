"""A restored backup: what its rows forgot must not come back (docs/operations.md, Restoring).

Every key that has not ended gets the status `restored`, keeps at least the wrong tries that its
high-water mark knows, and ends if its mark says that it had ended. Every request that is not
closed is burned. A certificate that was suspended or revoked is so again. Repeating it is harmless.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from hsm_module.marks.record import Mark, MarkKind, read_key_note
from hsm_module.marks.watermarks import HighWaterMarks
from hsm_module.storage.requests import CLOSED
from hsm_module.storage.rows import KeyRow
from hsm_module.storage.store import Store
from hsm_module.trust.restore import restore_statuses
from signer_core.audit.events import Event
from signer_core.errors import VerificationError
from signer_core.identifiers import KeyId, RequestId
from signer_core.ports import KeyStatus, RequestState

BATCH: Final = 16  # rows at once, each in a transaction of its own


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done, for the officer."""

    keys: int
    ended: int  # of them, by what their marks say
    altered: int  # of them, left as they are: refused whenever they are used
    burned: int  # requests
    lost: int  # keys that have a mark and are not in this backup: their owners enrol again


async def restore(store: Store, marks: HighWaterMarks) -> Restored:
    """Make the database usable again; `marks` is open alone.

    Raises:
        UnavailableError: the database or the disk fails: repeat it.
    """
    await restore_statuses(store)
    requests = await _each(store, "requests", lambda one: _burn(store, RequestId(one)))
    done = await _each(store, "keys", lambda one: _restore_key(store, KeyId(one), marks))
    known = {key_id for key_id, _ in done}
    before = marks.file.count(MarkKind.KEY)
    marks.file.compact(lambda mark: mark.kind is not MarkKind.KEY or mark.id in known)
    await store.record_head()
    lost = before - marks.file.count(MarkKind.KEY)
    results = [result for _, result in done]
    return Restored(
        keys=len(done),
        ended=results.count("ended"),
        altered=results.count("altered"),
        burned=[result for _, result in requests].count("burned"),
        lost=lost,
    )


async def _each(
    store: Store, table: Literal["keys", "requests"], work: Callable[[bytes], Awaitable[str]]
) -> list[tuple[bytes, str]]:
    """Do `work` for every row; a row that was altered stays as it is, audited by the store."""

    async def one(row_id: bytes) -> tuple[bytes, str]:
        try:
            return row_id, await work(row_id)
        except VerificationError:
            return row_id, "altered"

    results: list[tuple[bytes, str]] = []
    async for ids in store.batches(table, BATCH):
        results += await asyncio.gather(*map(one, ids))
    return results


async def _restore_key(store: Store, key_id: KeyId, marks: HighWaterMarks) -> str:
    found = marks.file.find(Mark(MarkKind.KEY, key_id, 0).name)
    mark = found[0] if found else Mark(MarkKind.KEY, key_id, 0)
    dead, failed, lifetime_failed = read_key_note(mark.note)
    async with store.transaction() as transaction:
        row, _ = await transaction.keys.get_unmarked(key_id)
        row = replace(
            row,
            status=_status(row, dead=dead),
            failed=max(row.failed, failed),
            lifetime_failed=max(row.lifetime_failed, lifetime_failed),
            judging=None,
            live_sid=None,
        )
        await transaction.keys.save(row, above=mark.version)
        await transaction.record(Event("key-restored", row.status.value, key_id))
    return "ended" if dead else "restored"


def _status(row: KeyRow, *, dead: bool) -> KeyStatus:
    if row.status in (KeyStatus.SUSPENDED, KeyStatus.RETIRED):
        return row.status
    return KeyStatus.RETIRED if dead else KeyStatus.RESTORED


async def _burn(store: Store, request_id: RequestId) -> str:
    """Burn a request that is not closed: it may have been signed after the backup."""
    async with store.transaction() as transaction:
        row = await transaction.requests.find_unmarked(request_id)
        if row is None or row.state in CLOSED:
            return "closed"
        above = transaction.requests.marked_version(request_id)
        await transaction.requests.save(replace(row, state=RequestState.BURNED), above=above)
    return "burned"
