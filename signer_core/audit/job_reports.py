"""How alerts ended, in the log: once for each job."""

import json
from dataclasses import dataclass

from signer_core.audit.alarms import ALERT_KINDS
from signer_core.audit.events import Event
from signer_core.storage.engine import write_transaction
from signer_core.storage.signer.audit_outbox import AuditOutbox
from signer_core.storage.signer.jobs import Jobs


@dataclass(frozen=True, slots=True)
class AlertReports:
    """Records the end of alerts; other jobs have their own effects to show for it."""

    jobs: Jobs
    outbox: AuditOutbox

    async def report(self, job_id: bytes, *, delivered: bool) -> None:
        """Record how a job ended; what was recorded before is not recorded again.

        Raises:
            NotFoundError: there is no such job.
        """
        async with write_transaction(self.outbox.engine) as connection:
            job = await self.jobs.get(connection, job_id)
            news = await self.jobs.close(connection, job_id, delivered=delivered)
            if not news or job.kind not in ALERT_KINDS:
                return
            result = "delivered" if delivered else "undeliverable"
            reason = job.kind.removeprefix("alert.")
            subject = str(json.loads(job.body)["seq"])
            await self.outbox.record(
                connection, Event("alert", result, reason=reason, subject=subject)
            )
