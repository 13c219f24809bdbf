"""The signer in an emergency, as anybody with the deployment's root sees it."""

from typing import Self

import grpc

from grpc_api.clients.calls import call
from grpc_api.credentials import enrolment_channel
from grpc_api.gen.signer.phone.v1 import emergency_pb2, emergency_pb2_grpc


class EmergencyClient:
    """Suspends a key by its code; no certificate is needed."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._stub = emergency_pb2_grpc.EmergencyServiceStub(channel)

    @classmethod
    def at(cls, address: str, server_name: str, root: bytes) -> Self:
        """Connect to the enrolment listener; `root` (PEM) is the pinned one."""
        return cls(enrolment_channel(address, server_name, root))

    async def suspend(self, code: str) -> None:
        """Suspend the key of this code for good; repeating it is harmless.

        Raises:
            NotFoundError: it is nobody's code.
            UnavailableError: too many tries, or the other side does not answer.
        """
        await call(self._stub.SuspendByCode, emergency_pb2.SuspendByCodeRequest(code=code))

    async def close(self) -> None:
        """Close the connection."""
        await self._channel.close()
