"""Jobs as durable workflows: tries with growing pauses that survive a restart, dead letters.

Each try and each pause is a step that DBOS has stored, so a process that dies goes on where it
was. What happens outside is done at least once, with the same id each time.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID
from sqlalchemy import make_url

from grpc_api.jobs.kinds import GiveUpError, Kinds, TryLaterError
from signer_core.errors import NotFoundError, SignerError

MAX_PAUSE_S: Final = 3600.0
_VERSION: Final = "jobs-1"  # of the workflow below: raise it when its steps change
_WORKFLOW: Final = "job"

Report = Callable[[str, bool], Awaitable[None]]
T = TypeVar("T")

_log = structlog.get_logger(__name__)


class GivenUpError(Exception):
    """A job was given up: a dead letter. The message is a sentence without data."""


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

    def __init__(
        self, url: str, kinds: Kinds, report: Report, *, tries: int, pause_s: float
    ) -> None:
        """Take what each kind does, whom to tell of an end, and how often to try."""
        self._kinds, self._report = kinds, report
        self._tries, self._pause_s = tries, pause_s
        self._loop: asyncio.AbstractEventLoop | None = None
        config: DBOSConfig = {
            "name": "diia-signer-worker",
            "system_database_url": _dbos_url(url),
            "application_version": _VERSION,
            "log_level": "ERROR",
        }
        DBOS(config=config)
        self._register()

    def _register(self) -> None:
        """Give DBOS plain functions: it takes no methods."""

        async def job(job_id: str, kind: str, body: str) -> None:
            await self._job(job_id, kind, body)

        async def attempt(job_id: str, kind: str, body: str) -> str:
            return await self._try(job_id, kind, body)

        async def tell(job_id: str, delivered: bool) -> None:
            await self._tell(job_id, delivered=delivered)

        self._run = DBOS.workflow(name=_WORKFLOW)(job)
        self._attempt = DBOS.step(name="try")(attempt)
        self._say = DBOS.step(name="report")(tell)

    def start(self) -> None:
        """Begin; jobs that a dead process left go on."""
        self._loop = asyncio.get_running_loop()
        DBOS.launch()

    @staticmethod
    def stop() -> None:
        """End; what has not ended goes on at the next start."""
        DBOS.destroy(destroy_registry=True)

    async def accept(self, job_id: str, kind: str, body: bytes) -> None:
        """Take a job, durably; the same id is the same job."""
        with SetWorkflowID(job_id):
            await DBOS.start_workflow_async(self._run, job_id, kind, body.decode())

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """Return the jobs that were given up, newest first."""
        found = await DBOS.list_workflows_async(
            status=["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            name=_WORKFLOW,
            limit=limit,
            sort_desc=True,
        )
        return [_letter(one) for one in found]

    async def replay(self, job_id: str) -> None:
        """Try a job that was given up again, from its first try.

        Raises:
            NotFoundError: no such job was given up.
        """
        for one in await DBOS.list_workflows_async(
            status=["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"], name=_WORKFLOW, limit=10_000
        ):
            if one.input is not None and one.input["args"][-3] == job_id:
                kind, body = one.input["args"][-2:]
                await DBOS.delete_workflow_async(one.workflow_id)
                await self.accept(job_id, kind, body.encode())
                return
        raise NotFoundError("no such job was given up")

    async def _job(self, job_id: str, kind: str, body: str) -> None:
        """Try until it works, or for the last time."""
        reason = ""
        for number in range(self._tries):
            reason = await self._attempt(job_id, kind, body)
            if not reason or reason.startswith(_NEVER):
                break
            if number + 1 < self._tries:
                await DBOS.sleep_async(self._pause(job_id, number))
        await self._say(job_id, not reason)
        if reason:
            raise GivenUpError(reason.removeprefix(_NEVER))

    async def _try(self, job_id: str, kind: str, body: str) -> str:
        """Return nothing, or why it did not work."""
        work = self._kinds.get(kind)
        if work is None:
            return f"{_NEVER}there is no such kind of job"
        try:
            await self._here(work(job_id, body.encode()))
        except TryLaterError as error:
            _log.info("job-not-done", kind=kind, reason=str(error))
            return str(error)
        except GiveUpError as error:
            return f"{_NEVER}{error}"
        return ""

    async def _tell(self, job_id: str, *, delivered: bool) -> None:
        """Report the end; a signer that is away hears of it from the list of dead letters."""
        try:
            await self._here(self._report(job_id, delivered))
        except SignerError as error:
            _log.warning("job-not-reported", code=error.code)

    async def _here(self, work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
        """Do work on the loop that the clients of this process belong to."""
        assert self._loop is not None  # noqa: S101  for the type checker; `start` came first

        async def run() -> T:
            return await work

        if asyncio.get_running_loop() is self._loop:
            return await run()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(run(), self._loop))

    def _pause(self, job_id: str, number: int) -> float:
        """Return seconds: twice the last ones, up to an hour, and up to a half more by chance.

        The chance is the job's own, so that a replay of the workflow waits as long.
        """
        base = min(self._pause_s * 2.0**number, MAX_PAUSE_S)
        spread = hashlib.sha256(f"{job_id}/{number}".encode()).digest()[0] / 255
        return base * (1 + spread / 2)


_NEVER: Final = "never: "


def _letter(one: Any) -> DeadLetter:
    job_id, kind, _ = one.input["args"][-3:]
    said = str(one.error) if isinstance(one.error, GivenUpError) else "the worker died over it"
    return DeadLetter(job_id, kind, one.updated_at or 0, said)


def _dbos_url(url: str) -> str:
    """Return the database as DBOS wants it: its own drivers are synchronous."""
    parsed = make_url(url)
    driver = "sqlite" if parsed.get_backend_name() == "sqlite" else "postgresql"
    return parsed.set(drivername=driver).render_as_string(hide_password=False)
