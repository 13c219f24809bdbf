"""An upload is read to its end before it is refused, or its sender may never hear why.

A client that still writes when the status arrives can lose it: grpc.aio's puts "Internal error from
Core" in its place (`grpc_api.clients.calls`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import grpc

from grpc_api.interceptors.around import Around, Context, Handler

REST_LIMIT_BYTES: Final = 128 << 20  # the largest that is accepted, 100 MiB, and its frames
REST_LIMIT_S: Final = 30.0
# Of the methods with two streams, those that answer when all was sent. In any other, one side waits
# for the other, and would wait for its refusal as well.
_ANSWERED_AT_THE_END: Final = frozenset({"/signer.internal.v1.SealService/SealPdfs"})


def upload_surround(method: str, handler: Handler) -> Around | None:
    """Read what is left of a refused upload, within limits, and drop it.

    Nothing is read after an upload's own time is over: gRPC reads one message at a time, and that
    read was cancelled.

    Raises:
        Exception: what the call raised.
    """
    return _read_to_its_end if _is_upload(method, handler) else None


def _is_upload(method: str, handler: Handler) -> bool:
    if not handler.request_streaming:
        return False
    return not handler.response_streaming or method in _ANSWERED_AT_THE_END


@asynccontextmanager
async def _read_to_its_end(context: Context) -> AsyncIterator[None]:
    try:
        yield
    except Exception:  # whatever it is, it is raised again: only its sender must hear it
        with suppress(TimeoutError, grpc.aio.BaseError):  # of the reading: the refusal stays
            async with asyncio.timeout(REST_LIMIT_S):
                await _drop_the_rest(context)
        raise


async def _drop_the_rest(context: Context) -> None:
    dropped = 0
    while dropped < REST_LIMIT_BYTES:
        message = await context.read()
        if message is grpc.aio.EOF:
            return
        dropped += len(message)
