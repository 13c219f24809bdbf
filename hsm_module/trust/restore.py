"""A restored backup: what its statuses forgot must not come back (docs/operations.md)."""

from dataclasses import replace

from hsm_module.marks.record import MarkKind
from hsm_module.storage.statuses import StatusRow, row_of
from hsm_module.storage.store import Store
from signer_core.errors import VerificationError
from signer_core.pki.status import Reason, Status


async def restore_statuses(store: Store) -> int:
    """Suspend and revoke again what high-water marks know of; return how many changed.

    Also certificates that are newer than the backup: their marks hold their serial numbers.
    Repeating it is harmless. A row that was altered stays as it is, refused whenever it is read.

    Raises:
        UnavailableError: the database or the disk fails: repeat it.
    """
    known = [row_of(mark) for mark in store.marks_of(MarkKind.CERTIFICATE).values()]
    changed = 0
    for row in known:
        if row is None:
            continue
        try:
            changed += await _restore(store, row)
        except VerificationError:
            continue  # audited by the store
    return changed


async def _restore(store: Store, said: StatusRow) -> bool:
    async with store.transaction() as transaction:
        found = await transaction.statuses.find_unmarked(said.name)
        if found is not None and found.row_version >= said.row_version:
            return False
        if found is None:
            found = replace(said, status=Status.GOOD, reason=Reason.NONE, row_version=0)
            await transaction.statuses.insert(found, restored=True)
        now_s = await transaction.now_s()
        worse = replace(found, status=said.status, reason=said.reason, changed_at_s=now_s)
        await transaction.statuses.save(worse, above=said.row_version)
    return True
