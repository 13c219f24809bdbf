"""The signer's outbox as the worker sees it."""

from collections.abc import Sequence

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.internal.v1 import outbox_pb2 as pb
from grpc_api.gen.signer.internal.v1 import outbox_pb2_grpc


class OutboxClient:
    """Jobs that wait, and how they ended."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = outbox_pb2_grpc.OutboxServiceStub(channel)

    async def fetch(self, limit: int) -> Sequence[tuple[str, str, bytes]]:
        """Return the oldest jobs that were not acknowledged: id (hex), kind, body."""
        answer = await call(self._stub.FetchJobs, pb.FetchJobsRequest(limit=limit))
        return [(one.job_id.hex(), one.kind, one.body) for one in answer.jobs]

    async def acknowledge(self, job_ids: Sequence[str]) -> None:
        """Say that these are stored here; repeating it is harmless."""
        message = pb.AcknowledgeJobsRequest(job_ids=map(bytes.fromhex, job_ids))
        await call(self._stub.AcknowledgeJobs, message)

    async def report(self, job_id: str, delivered: bool) -> None:
        """Say how a job ended; repeating it is harmless."""
        message = pb.ReportJobRequest(job_id=bytes.fromhex(job_id), delivered=delivered)
        await call(self._stub.ReportJob, message)
