"""CallbacksService: what the worker posts to partners."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.internal.v1 import callbacks_pb2 as wire
from grpc_api.gen.signer.internal.v1 import callbacks_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.errors import InvalidRequestError
from signer_core.storage.signer.callbacks import Callbacks

SERVICE: Final = "signer.internal.v1.CallbacksService"


@dataclass(frozen=True, slots=True)
class CallbacksServicer(services.CallbacksServiceServicer):
    """Gives out what is stored."""

    rows: Callbacks
    clock: Callable[[], datetime]  # UTC

    @override
    async def GetCallback(
        self, request: wire.GetCallbackRequest, context: Context
    ) -> wire.GetCallbackResponse:
        """Get a callback."""
        if len(request.callback_id) != 16:
            raise InvalidRequestError("the id of a callback has 16 bytes")
        found = await self.rows.get(request.callback_id, int(self.clock().timestamp()))
        headers = [wire.CallbackHeader(name=name, value=value) for name, value in found.headers]
        return wire.GetCallbackResponse(address=found.address, headers=headers, body=found.body)


def add_callbacks(server: grpc.aio.Server, rows: Callbacks, clock: Callable[[], datetime]) -> str:
    """Register the service; return its full name."""
    services.add_CallbacksServiceServicer_to_server(CallbacksServicer(rows, clock), server)
    return SERVICE
