"""Expect a gRPC call to be refused with one code of docs/errors.md."""

from contextlib import contextmanager

import grpc
import pytest

from signer_core.errors import DeniedError, UnavailableError


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


async def denied(call):
    """Return the refusal of a call with a stream of requests.

    gRPC's client sometimes loses one that comes while it still sends: "try again later", it says.
    """
    for _ in range(5):
        try:
            await call()
        except DeniedError as error:
            return error
        except UnavailableError:
            pass
        else:
            break
    raise AssertionError("it was not denied")
