"""The callbacks as the worker gets them."""

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.internal.v1 import callbacks_pb2 as pb
from grpc_api.gen.signer.internal.v1 import callbacks_pb2_grpc


class CallbacksClient:
    """What is posted to partners."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = callbacks_pb2_grpc.CallbacksServiceStub(channel)

    async def get(self, callback_id: str) -> tuple[str, tuple[tuple[str, str], ...], bytes]:
        """Return address, headers and body of a callback (its id in hex).

        Raises:
            NotFoundError: it was delivered, or has expired.
        """
        message = pb.GetCallbackRequest(callback_id=bytes.fromhex(callback_id))
        found = await call(self._stub.GetCallback, message)
        headers = tuple((one.name, one.value) for one in found.headers)
        return found.address, headers, found.body
