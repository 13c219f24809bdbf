"""How every client calls: a deadline, the correlation id, typed errors; no call is repeated."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import grpc

from grpc_api.failure import ERRORS, Failure, error_of
from grpc_api.metadata import outgoing_metadata
from signer_core import errors
from signer_core.errors import SignerError, UnavailableError

DEADLINE_S = 15.0  # of a unary call
STREAM_DEADLINE_S = 120.0  # of a stream that ends by itself: 20 MiB over a slow line

_UNNAMED: Mapping[grpc.StatusCode, type[SignerError]] = {  # said by gRPC itself, not by a service
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidRequestError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.InvalidRequestError,
    grpc.StatusCode.PERMISSION_DENIED: errors.DeniedError,
    grpc.StatusCode.UNAUTHENTICATED: errors.DeniedError,
    grpc.StatusCode.NOT_FOUND: errors.NotFoundError,
    grpc.StatusCode.INTERNAL: SignerError,
    grpc.StatusCode.UNKNOWN: SignerError,
}
# What grpc.aio's own client puts in the place of a status that came while it still sent a stream:
# the answer is lost, and nobody knows which it was (grpc/aio/_call.py, `set_internal_error`).
_LOST: Final = "Internal error from Core"

A = TypeVar("A")


async def call(
    method: Callable[..., grpc.aio.UnaryUnaryCall[Any, A]],
    request: Any,
    deadline_s: float = DEADLINE_S,
) -> A:
    """Call a unary method.

    Raises:
        SignerError: what the server says, typed; UnavailableError where it does not answer.
    """
    with typed_errors():
        return await method(request, timeout=deadline_s, metadata=outgoing_metadata())


async def stream(
    method: Callable[..., grpc.aio.UnaryStreamCall[Any, A]],
    request: Any,
    deadline_s: float | None = STREAM_DEADLINE_S,
) -> AsyncIterator[A]:
    """Call a method that answers with a stream; leaving the loop hangs up.

    Raises:
        SignerError: as `call`.
    """
    answers = method(request, timeout=deadline_s, metadata=outgoing_metadata())
    try:
        with typed_errors():
            async for answer in answers:
                yield answer
    finally:
        answers.cancel()


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turn the error of a call back into the class that the server raised."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise error_of_call(error) from None
    except grpc.aio.UsageError:
        raise UnavailableError("the connection is closed") from None


def error_of_call(error: grpc.aio.AioRpcError) -> SignerError:
    """Return the typed error of a failed call."""
    metadata = dict(error.trailing_metadata() or ())
    code = str(metadata.get("error-code", ""))
    said = error.details() or ""
    if code in ERRORS:
        attempts, hold = metadata.get("attempts-left", "0"), metadata.get("hold-until-s", "0")
        return error_of(Failure(code, said, _number(attempts), _number(hold)))
    if said == _LOST:
        return UnavailableError("the other side ended the call early: try again later")
    kind = _UNNAMED.get(error.code(), UnavailableError)
    return kind(_SENTENCES.get(kind, "the other side refused the call"))


_SENTENCES: Mapping[type[SignerError], str] = {
    UnavailableError: "the other side does not answer: try again later",
    errors.InvalidRequestError: "the other side refused the call: it is malformed or too large",
}


def _number(text: str | bytes) -> int:
    return int(text) if text.isdigit() else 0
