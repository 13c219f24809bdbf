"""Jobs as durable workflows: tries with growing pauses that survive a restart, dead letters.

A try is a workflow of its own in one queue that is divided into lanes; a pause is a workflow that
becomes due later. So what waits is a row and no task, and what fails in one lane, however much,
takes no turn of another. A process that dies does the tries again that it was in the middle of:
what happens outside is done at least once, with the same id each time.
"""

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import structlog
from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID
from sqlalchemy import make_url

from grpc_api.jobs.kinds import GiveUpError, Kinds, TryLaterError, lane_of
from signer_core.errors import NotFoundError, SignerError

MAX_PAUSE_S: Final = 3600.0
AT_ONCE: Final = 4  # tries of one lane: a partner that hangs holds so many connections
_POLL_S: Final = 0.25
_REPORT_PAUSE_S: Final = 5.0
_KEPT: Final = (("SUCCESS", timedelta(days=1)), ("ERROR", timedelta(days=30)))
_SWEEP_BATCH: Final = 1000
_VERSION: Final = "jobs-2"  # of the workflow below: raise it when its arguments or steps change
_WORKFLOW: Final = "job"
_QUEUE: Final = "jobs"
_GIVEN_UP: Final = ["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

Report = Callable[[str, str], Awaitable[None]]
"""Takes the job's id and why it was given up; nothing if it was done."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class GivenUpError(Exception):
    """A job was given up: a dead letter. The message is a sentence without data."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a job is tried."""

    first_pause_s: float  # after the first try; each is twice the last one, up to an hour
    whole_s: float  # no try begins later than this after the job was taken

    def pause_s(self, job_id: str, number: int) -> float:
        """Return seconds after try `number` (the first is 0): up to a half more by chance.

        The chance is the job's own, so that jobs which failed together do not come back together.
        """
        base = min(self.first_pause_s * 2.0**number, MAX_PAUSE_S)
        spread = hashlib.sha256(f"{job_id}/{number}".encode()).digest()[0] / 255
        return base * (1 + spread / 2)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up."""

    job_id: str  # 32 hex digits
    kind: str
    given_up_at_ms: int  # Unix time
    reason: str


class JobRunner:
    """One a process. Mutable: DBOS runs in it.

    DBOS may run a workflow on a loop of its own; the work itself is always done on ours.
    """

    def __init__(self, url: str, kinds: Kinds, report: Report, patience: Patience) -> None:
        """Take what each kind does, whom to tell of an end, and how often to try."""
        self._kinds, self._report, self._patience = kinds, report, patience
        self._loop: asyncio.AbstractEventLoop | None = None
        _use_wal(url)
        config: DBOSConfig = {
            "name": "diia-signer-worker",
            "system_database_url": _dbos_url(url),
            "application_version": _VERSION,
            "log_level": "ERROR",
        }
        DBOS(config=config)

        async def job(job_id: str, kind: str, body: str, number: int, until_s: float) -> None:
            await self._job(job_id, kind, body, number, until_s)

        self._run = DBOS.workflow(name=_WORKFLOW)(job)  # DBOS takes no methods

    async def start(self) -> None:
        """Begin; jobs that a dead process left go on."""
        self._loop = asyncio.get_running_loop()
        DBOS.launch()
        await DBOS.register_queue_async(
            _QUEUE, partition_worker_concurrency=AT_ONCE, polling_interval_sec=_POLL_S
        )

    @staticmethod
    def stop() -> None:
        """End; what has not ended goes on at the next start."""
        DBOS.destroy(destroy_registry=True)

    async def accept(self, job_id: str, kind: str, body: bytes, *, again: bool = False) -> None:
        """Take a job, durably; the same id is the same job.

        `again`: it was given up and is to be tried once more, from its first try.
        """
        if again:
            await self._forget(workflow_id_prefix=job_id)
        until_s = time.time() + self._patience.whole_s
        await self._enqueue(0.0, job_id, kind, body.decode(), 0, until_s)

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """Return the jobs that were given up, newest first."""
        found = await DBOS.list_workflows_async(
            status=_GIVEN_UP, name=_WORKFLOW, limit=limit, sort_desc=True
        )
        return [_letter(one) for one in found]

    async def sweep(self, now: datetime) -> None:
        """Forget tries that ended long ago."""
        for status, kept in _KEPT:
            before = (now.astimezone(UTC) - kept).isoformat()
            while await self._forget(status=status, completed_before=before):
                pass

    async def _forget(self, **which: Any) -> int:
        """Delete tries; return how many."""
        found = await DBOS.list_workflows_async(
            name=_WORKFLOW, limit=_SWEEP_BATCH, load_input=False, load_output=False, **which
        )
        if found:
            await DBOS.delete_workflows_async([one.workflow_id for one in found])
        return len(found)

    async def _enqueue(
        self,
        delay_s: float,
        job_id: str,
        kind: str,
        body: str,
        number: int,
        until_s: float,
    ) -> None:
        """Store a try, now or later; the same one twice is one."""
        lane = lane_of(kind, body)
        with (
            SetWorkflowID(f"{job_id}-{number}"),
            SetEnqueueOptions(queue_partition_key=lane, delay_seconds=delay_s or None),
        ):
            await DBOS.enqueue_workflow_async(
                _QUEUE, self._run, job_id, kind, body, number, until_s
            )

    async def _job(self, job_id: str, kind: str, body: str, number: int, until_s: float) -> None:
        """Try once; store the next try, or say how it ended."""
        reason, never = await self._try(job_id, kind, body)
        pause_s = self._patience.pause_s(job_id, number)
        if reason and not never and time.time() + pause_s <= until_s:
            await self._enqueue(pause_s, job_id, kind, body, number + 1, until_s)
            return
        await self._tell(job_id, reason)
        if reason:
            raise GivenUpError(reason)

    async def _try(self, job_id: str, kind: str, body: str) -> tuple[str, bool]:
        """Return why it did not work, or nothing, and whether it never will."""
        work = self._kinds.get(kind)
        if work is None:
            return "there is no such kind of job", True
        try:
            await self._here(work(job_id, body.encode()))
        except TryLaterError as error:
            _log.info("job-not-done", kind=kind, reason=str(error))
            return str(error), False
        except GiveUpError as error:
            return str(error), True
        return "", False

    async def _tell(self, job_id: str, reason: str) -> None:
        """Report the end until it is heard: the signer is where officers see dead letters."""
        while True:
            try:
                await self._here(self._report(job_id, reason))
            except NotFoundError:  # its database is an older one
                return
            except SignerError as error:
                _log.warning("job-not-reported", code=error.code)
                await asyncio.sleep(_REPORT_PAUSE_S)
            else:
                return

    async def _here(self, work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
        """Do work on the loop that the clients of this process belong to."""
        assert self._loop is not None  # noqa: S101  for the type checker; `start` came first

        async def run() -> T:
            return await work

        if asyncio.get_running_loop() is self._loop:
            return await run()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self._loop))


def _letter(one: Any) -> DeadLetter:
    job_id, kind = one.input["args"][-5:-3]
    said = str(one.error) if isinstance(one.error, GivenUpError) else "the worker died over it"
    return DeadLetter(job_id, kind, one.updated_at or 0, said)


def _dbos_url(url: str) -> str:
    """Return the database as DBOS wants it: its own drivers are synchronous."""
    parsed = make_url(url)
    driver = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql"
    return parsed.set(drivername=driver).render_as_string(hide_password=False)


def _use_wal(url: str) -> None:
    """Give an SQLite file a write-ahead log, for good: a third of the waiting for the disk."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        with closing(sqlite3.connect(parsed.database)) as file:
            file.execute("PRAGMA journal_mode = WAL")
