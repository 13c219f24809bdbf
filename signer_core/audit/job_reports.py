"""How the worker's jobs ended, in the log: once for each job."""

import json
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from signer_core.audit.alarms import ALERT_KINDS
from signer_core.audit.events import Event
from signer_core.callbacks.model import JOB_KIND as CALLBACK
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.callbacks import Callbacks
from signer_core.storage.signer.jobs import Job, Jobs

_WORDS: Final = ("undeliverable", "delivered")


@dataclass(frozen=True, slots=True)
class JobEnds:
    """Records the end of alerts and callbacks; repairs have their own effects to show for it."""

    jobs: Jobs
    callbacks: Callbacks
    outbox: AuditOutbox

    async def report(self, job_id: bytes, *, delivered: bool, reason: str) -> None:
        """Record how a job ended; what was recorded before is not recorded again.

        Raises:
            NotFoundError: there is no such job.
        """
        now_s = int(self.outbox.clock().timestamp())
        why = "" if delivered else reason or "no reason was given"
        async with write_transaction(self.outbox.engine) as connection:
            job = await self.jobs.get(connection, job_id)
            if not await self.jobs.close(connection, job_id, now_s, why):
                return
            event = await self._event(connection, job, delivered=delivered)
            if event is not None:
                await self.outbox.record(connection, event)

    async def _event(
        self, connection: AsyncConnection, job: Job, *, delivered: bool
    ) -> Event | None:
        body, result = json.loads(job.body), _WORDS[delivered]
        if job.kind in ALERT_KINDS:
            reason = job.kind.removeprefix("alert.")
            return Event("alert", result, reason=reason, subject=str(body["seq"]))
        if job.kind != CALLBACK:
            return None
        subject = f"{body['partner_id']}/{job.job_id.hex()}"
        if delivered:
            await self.callbacks.forget(connection, job.job_id)
        return Event("callback", result, subject=subject)
