"""Dead letters: what the worker gave up, as officers see it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from signer_core.admin.officers import Grounds
from signer_core.audit.events import Event
from signer_core.callbacks.model import JOB_KIND as CALLBACK
from signer_core.errors import InvalidRequestError
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.jobs import DeadLetter, Job, Jobs

MAX_LISTED: Final = 1000


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Lists and replays; whoever calls has checked who asks."""

    jobs: Jobs
    outbox: AuditOutbox

    async def newest(self, limit: int) -> Sequence[DeadLetter]:
        """Return the jobs that were given up last."""
        if not 1 <= limit <= MAX_LISTED:
            raise InvalidRequestError(f"1 to {MAX_LISTED} dead letters at once")
        return await self.jobs.dead_letters(limit)

    async def replay(self, job_id: bytes, grounds: Grounds) -> None:
        """Have the worker try one again, from its first try.

        Raises:
            NotFoundError: no such job was given up.
        """
        async with write_transaction(self.outbox.engine) as connection:
            job = await self.jobs.replay(connection, job_id)
            subject = f"{job.kind}:{job_id.hex()}"
            subject += f":{grounds.ticket}" if grounds.ticket else ""
            event = Event("dead-letter", "replayed", reason=grounds.reason, subject=subject)
            await self.outbox.record(connection, event)


def partner_of(job: Job) -> str:
    """Return the partner that a job is about; empty if it is about none."""
    return str(json.loads(job.body)["partner_id"]) if job.kind == CALLBACK else ""
