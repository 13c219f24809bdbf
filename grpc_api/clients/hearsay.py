"""Calls of a phone to its signer, whose word on the key is information and no more.

Inside the channel the vault may say that a key is retired, suspended, blocked, held, or that a
PIN was wrong; a phone and its owner act on that. The signer may say the same things outside, and
there they all become one error that nobody acts on (docs/spec/ecdsa2p.md §0).
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import grpc

from grpc_api.clients import calls
from signer_core import errors
from signer_core.errors import DeniedError

A = TypeVar("A")

_THE_VAULTS: Final = (
    errors.RetireShareError,
    errors.KeySuspendedError,
    errors.KeyBlockedError,
    errors.KeyHeldError,
    errors.PinRejectedError,
    errors.UnknownGenerationError,
)


async def call(method: Callable[..., grpc.aio.UnaryUnaryCall[Any, A]], request: Any) -> A:
    """Call a unary method.

    Raises:
        SignerError: what the signer says; DeniedError where only the vault could say it.
    """
    with _hearsay():
        return await calls.call(method, request)


async def stream(
    method: Callable[..., grpc.aio.UnaryStreamCall[Any, A]],
    request: Any,
    deadline_s: float | None = calls.STREAM_DEADLINE_S,
) -> AsyncIterator[A]:
    """Call a method that answers with a stream; raises as `call`."""
    with _hearsay():
        async for answer in calls.stream(method, request, deadline_s):
            yield answer


@contextmanager
def _hearsay() -> Iterator[None]:
    try:
        yield
    except _THE_VAULTS as error:
        raise DeniedError(f"the signer refuses, and says: {error}") from None
