"""Expect a gRPC call to be refused with one code of docs/errors.md."""

from contextlib import contextmanager

import grpc
import pytest


@contextmanager
def refused(code, said=""):
    """The call inside fails with this `error-code`, and its sentence contains `said`."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        yield
    metadata = dict(caught.value.trailing_metadata() or ())
    assert (metadata.get("error-code"), said in (caught.value.details() or "")) == (code, True), (
        caught.value.details()
    )


async def drain(stream):
    return [message async for message in stream]


async def rest(stream):
    """Read a stream to its end where it was begun by `read`: gRPC lets nobody mix the two ways."""
    messages = []
    while (message := await stream.read()) is not grpc.aio.EOF:
        messages.append(message)
    return messages
