"""Mass jobs: written down first, then done key by key by who asked for them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from signer_core.admin.officers import Grounds, Officer
from signer_core.admin.vault import MAX_BATCH, MAX_PAGE, Outcome
from signer_core.audit.events import Event
from signer_core.errors import InvalidRequestError
from signer_core.identifiers import KeyId, VaultId
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.mass_jobs import MassJob, MassJobs, Selection

KINDS: Final = ("revoke", "refresh")


@dataclass(frozen=True, slots=True)
class JobDesk:
    """Keeps the books; whoever calls has checked who asks. It touches no key."""

    jobs: MassJobs
    outbox: AuditOutbox
    vault_id: VaultId
    clock: Callable[[], datetime]

    async def preview(self, selection: Selection) -> tuple[int, int]:
        """Return how many keys and people this is about, as the signer knows them."""
        self._check(selection)
        return await self.jobs.preview(selection)

    async def create(
        self, officer: Officer, job_id: bytes, kind: str, selection: Selection, grounds: Grounds
    ) -> MassJob:
        """Write a job down with all its keys; repeating it is harmless.

        Raises:
            InvalidRequestError: the id is another job's or malformed; or nothing is selected.
        """
        self._check(selection)
        if len(job_id) != 16 or kind not in KINDS:
            raise InvalidRequestError("a mass job has an id of 16 bytes, and revokes or refreshes")
        job = MassJob(
            job_id,
            kind,
            selection,
            grounds.reason,
            grounds.ticket,
            officer.officer_id,
            int(self.clock().timestamp()),
        )
        async with write_transaction(self.outbox.engine) as connection:
            if await self.jobs.create(connection, job):
                await self.outbox.record(connection, _event(job, "created"))
        return await self.jobs.get(job_id)

    async def add(self, job_id: bytes, key_ids: Sequence[KeyId]) -> int:
        """Add keys that only the vault knows; return how many were new.

        Raises:
            InvalidRequestError: over 1000, or the job is not about a whole vault.
        """
        _check_ids(key_ids, MAX_PAGE)
        if not (await self.jobs.get(job_id)).selection.vault_id:
            raise InvalidRequestError("only a job about a whole vault takes further keys")
        return await self.jobs.add(job_id, key_ids)

    async def next_keys(self, job_id: bytes, limit: int) -> Sequence[KeyId]:
        """Return up to `limit` (1 to 64) keys that are still to be done."""
        if not 1 <= limit <= MAX_BATCH:
            raise InvalidRequestError(f"1 to {MAX_BATCH} keys at once")
        await self.jobs.get(job_id)
        return await self.jobs.next_keys(job_id, limit)

    async def note(self, job_id: bytes, outcomes: Mapping[KeyId, Outcome]) -> None:
        """Note what became of keys; what was noted before stays."""
        _check_ids(list(outcomes), MAX_BATCH)
        job = await self.jobs.get(job_id)
        now_s = int(self.clock().timestamp())
        words = {key_id: outcome.value for key_id, outcome in outcomes.items()}
        async with write_transaction(self.outbox.engine) as connection:
            if await self.jobs.note(connection, job_id, words, now_s):
                await self.outbox.record(connection, _event(job, "finished"))

    def _check(self, selection: Selection) -> None:
        if not selection.vault_id and not selection.issued_from_s and not selection.issued_to_s:
            raise InvalidRequestError("say which keys: by date of issue, or by vault")
        if selection.vault_id not in ("", self.vault_id):
            raise InvalidRequestError("this signer has no keys in that vault")
        if selection.issued_to_s and selection.issued_to_s <= selection.issued_from_s:
            raise InvalidRequestError("the dates of issue end before they begin")


def _check_ids(key_ids: Sequence[KeyId], limit: int) -> None:
    if not 1 <= len(key_ids) <= limit or any(len(one) != 16 for one in key_ids):
        raise InvalidRequestError(f"1 to {limit} keys at once, with ids of 16 bytes")


def _event(job: MassJob, result: str) -> Event:
    subject = f"{job.kind}:{job.job_id.hex()}" + (f":{job.ticket}" if job.ticket else "")
    return Event("mass-job", result, reason=job.reason, subject=subject)
