"""The audit log in the signer process: its keeper, its services, what it says of calls."""

import asyncio
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Final

import grpc

from grpc_api.servers.internal_audit import add_audit, officers_only
from grpc_api.servers.internal_callbacks import add_callbacks
from grpc_api.servers.internal_outbox import add_outbox
from signer_core.admin.access import Access
from signer_core.audit.events import Event
from signer_core.audit.job_reports import JobEnds
from signer_core.audit.keeper import MAX_WAITING, AuditKeeper, Kept
from signer_core.audit.space import LOW_BYTES, SpaceWatch, free_bytes
from signer_core.audit.sparse import SparseRecorder
from signer_core.diagnostics import Finding, Verdict
from signer_core.errors import SignerError, UnavailableError
from signer_core.storage.inspection import database_folder
from signer_core.storage.signer.audit_reading import AuditReading
from signer_core.storage.signer.callbacks import Callbacks
from signer_core.storage.signer.jobs import Jobs

_DRAIN_S: Final = 3.0  # for the last events of a process that ends


class SignerAudit:
    """Everything of the log that the signer runs. Mutable: it holds running tasks."""

    def __init__(self, kept: Kept, database_url: str) -> None:
        """Take what the keeper works with."""
        self.kept = kept
        self.keeper = AuditKeeper(kept)
        self.on_denied = SparseRecorder(kept.outbox.record_alone)
        self._space = SpaceWatch(_folders(database_url, kept.sink.folder), kept.outbox.record_alone)
        self._tasks: set[asyncio.Task[None]] = set()

    async def admit(self, source: str) -> None:
        """Let a call of a phone in.

        Raises:
            UnavailableError: its address is shut out, or the log is not kept.
        """
        try:
            self.kept.gate.verify_source(source)
        except UnavailableError:
            await self.on_denied(Event("source-shut-out", "refused"))
            raise
        self.kept.gate.verify_open()

    async def start(self, version: str) -> None:
        """Record that the process serves, and begin to keep the log.

        Raises:
            UnavailableError: the event cannot be written: nothing is signed without a log.
        """
        started = Event("process-started", "serving", subject=version)
        await self.kept.outbox.record_alone(started)
        self._tasks = {
            asyncio.create_task(self.keeper.run()),
            asyncio.create_task(self._space.run()),
        }

    async def stop(self) -> None:
        """Record the end, bring what is recorded into the log, have it signed, and stop.

        What cannot be done now, the vault being away, the next start does.
        """
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        try:
            await self.kept.outbox.record_alone(Event("process-stopped", "stopped"))
            async with asyncio.timeout(_DRAIN_S):
                await self.keeper.finish()
        except (SignerError, TimeoutError):
            pass  # what is in the outbox stays there
        self.kept.sink.close()

    def add_services(self, server: grpc.aio.Server, access: Access) -> tuple[str, ...]:
        """Register the services; return their full names."""
        kept = self.kept
        jobs = Jobs(kept.engine)
        callbacks = Callbacks(kept.engine)
        reading = AuditReading(kept.engine)
        return (
            add_audit(server, reading, kept.outbox, officers_only(access)),
            add_outbox(server, jobs, JobEnds(jobs, callbacks, kept.outbox)),
            add_callbacks(server, callbacks, kept.clock),
        )

    def checks(self) -> Mapping[str, Awaitable[Finding]]:
        """Return what `signer doctor` asks of the log."""
        return {"audit": self._check_log(), "audit-space": self._check_space()}

    async def _check_log(self) -> Finding:
        reading = AuditReading(self.kept.engine)
        count, _ = await reading.waiting()
        size = (await reading.tree()).size
        signed = await reading.newest_checkpoint()
        says = f"{size} rows, {size - (signed.size if signed else 0)} of them not signed yet"
        if self.kept.gate.stopped:
            advice = "look at the signer's log and at the disks; nothing new begins until then"
            return Finding("audit", Verdict.BAD, f"{count} events are not in the log", advice)
        if count > MAX_WAITING // 2 or self.keeper.sink_failed:
            advice = "look at the disks that the log and its file are on"
            return Finding("audit", Verdict.WARNING, f"{says}; it is behind", advice)
        return Finding("audit", Verdict.GOOD, says)

    async def _check_space(self) -> Finding:
        room = await asyncio.to_thread(free_bytes, self.kept.sink.folder)
        says = f"{room >> 20} MiB free for the log's file"
        if room < LOW_BYTES:
            return Finding("audit-space", Verdict.WARNING, says, "make room, or move the folder")
        return Finding("audit-space", Verdict.GOOD, says)


def _folders(database_url: str, file: Path) -> dict[str, Path]:
    database = database_folder(database_url)
    return {"file": file} | ({} if database is None else {"database": database})
