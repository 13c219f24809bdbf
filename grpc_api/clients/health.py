"""Asking a process whether it serves (grpc.health.v1)."""

from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from grpc_api.clients.calls import call
from signer_core.errors import SignerError

_DEADLINE_S: Final = 2.0


class HealthClient:
    """The health of the process at the other end."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = health_pb2_grpc.HealthStub(channel)

    async def is_serving(self) -> bool:
        """Say whether it answers, and that it serves."""
        try:
            answer = await call(self._stub.Check, health_pb2.HealthCheckRequest(), _DEADLINE_S)
        except SignerError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
