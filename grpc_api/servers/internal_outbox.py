"""OutboxService: the signer's jobs for the worker, and how they ended."""

from dataclasses import dataclass
from typing import Final, Protocol

import grpc
from typing_extensions import override

from grpc_api.gen.signer.internal.v1 import outbox_pb2 as wire
from grpc_api.gen.signer.internal.v1 import outbox_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.errors import InvalidRequestError
from signer_core.storage.signer.jobs import Jobs

SERVICE: Final = "signer.internal.v1.OutboxService"
MAX_JOBS: Final = 256


class JobReports(Protocol):
    """Who hears how a job ended."""

    async def report(self, job_id: bytes, *, delivered: bool, reason: str) -> None:
        """Record it; repeating it is harmless."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxServicer(services.OutboxServiceServicer):
    """Hands over jobs."""

    jobs: Jobs
    reports: JobReports

    @override
    async def FetchJobs(
        self, request: wire.FetchJobsRequest, context: Context
    ) -> wire.FetchJobsResponse:
        """Return jobs that wait."""
        if not 1 <= request.limit <= MAX_JOBS:
            raise InvalidRequestError(f"1 to {MAX_JOBS} jobs at once")
        jobs = await self.jobs.waiting(request.limit)
        found = [
            wire.OutboxJob(job_id=one.job_id, kind=one.kind, body=one.body, again=one.again)
            for one in jobs
        ]
        return wire.FetchJobsResponse(jobs=found)

    @override
    async def AcknowledgeJobs(
        self, request: wire.AcknowledgeJobsRequest, context: Context
    ) -> wire.AcknowledgeJobsResponse:
        """Mark jobs as taken."""
        if len(request.job_ids) > MAX_JOBS:
            raise InvalidRequestError(f"at most {MAX_JOBS} jobs at once")
        await self.jobs.acknowledge(request.job_ids)
        return wire.AcknowledgeJobsResponse()

    @override
    async def ReportJob(
        self, request: wire.ReportJobRequest, context: Context
    ) -> wire.ReportJobResponse:
        """Record how a job ended."""
        await self.reports.report(
            request.job_id, delivered=request.delivered, reason=request.reason
        )
        return wire.ReportJobResponse()


def add_outbox(server: grpc.aio.Server, jobs: Jobs, reports: JobReports) -> str:
    """Register the service; return its full name."""
    services.add_OutboxServiceServicer_to_server(OutboxServicer(jobs, reports), server)
    return SERVICE
