"""The signer's outbox as the worker sees it."""

from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.internal.v1 import outbox_pb2 as pb
from grpc_api.gen.signer.internal.v1 import outbox_pb2_grpc


@dataclass(frozen=True, slots=True)
class WaitingJob:
    """A job to be taken over."""

    job_id: str  # 32 hex digits
    kind: str
    body: bytes  # JSON
    again: bool  # it was given up and is to be tried once more


class OutboxClient:
    """Jobs that wait, and how they ended."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = outbox_pb2_grpc.OutboxServiceStub(channel)

    async def fetch(self, limit: int) -> Sequence[WaitingJob]:
        """Return the oldest jobs that were not acknowledged."""
        answer = await call(self._stub.FetchJobs, pb.FetchJobsRequest(limit=limit))
        return [WaitingJob(one.job_id.hex(), one.kind, one.body, one.again) for one in answer.jobs]

    async def acknowledge(self, job_ids: Sequence[str]) -> None:
        """Say that these are stored here; repeating it is harmless."""
        message = pb.AcknowledgeJobsRequest(job_ids=map(bytes.fromhex, job_ids))
        await call(self._stub.AcknowledgeJobs, message)

    async def report(self, job_id: str, reason: str) -> None:
        """Say that a job was done, or why it was given up; repeating it is harmless."""
        message = pb.ReportJobRequest(
            job_id=bytes.fromhex(job_id), delivered=not reason, reason=reason
        )
        await call(self._stub.ReportJob, message)
