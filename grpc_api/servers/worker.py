"""WorkerService: dead letters for officers."""

import re
from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.worker.v1 import worker_pb2 as wire
from grpc_api.gen.signer.worker.v1 import worker_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.jobs.runner import JobRunner
from signer_core.errors import InvalidRequestError

SERVICE: Final = "signer.worker.v1.WorkerService"
MAX_LETTERS: Final = 1000
_ID: Final = re.compile(r"[0-9a-f]{32}")


def add_worker(server: grpc.aio.Server, runner: JobRunner) -> str:
    """Register the service; return its full name."""
    services.add_WorkerServiceServicer_to_server(WorkerServicer(runner), server)
    return SERVICE


@dataclass(frozen=True, slots=True)
class WorkerServicer(services.WorkerServiceServicer):
    """Lists and replays."""

    runner: JobRunner

    @override
    async def ListDeadLetters(
        self, request: wire.ListDeadLettersRequest, context: Context
    ) -> wire.ListDeadLettersResponse:
        """Return the jobs that were given up."""
        letters = await self.runner.dead_letters(min(request.limit or 100, MAX_LETTERS))
        return wire.ListDeadLettersResponse(
            letters=[
                wire.DeadLetter(
                    job_id=one.job_id,
                    kind=one.kind,
                    given_up_at_ms=one.given_up_at_ms,
                    reason=one.reason,
                )
                for one in letters
            ]
        )

    @override
    async def Replay(self, request: wire.ReplayRequest, context: Context) -> wire.ReplayResponse:
        """Try one again."""
        if not _ID.fullmatch(request.job_id):
            raise InvalidRequestError("a job has an id of 32 hexadecimal digits")
        await self.runner.replay(request.job_id)
        return wire.ReplayResponse()
