"""Requests that are no protobuf: a typed error; gRPC would log a traceback and say UNKNOWN."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

import grpc
from google.protobuf.message import DecodeError

from grpc_api.interceptors.around import Context, Handler, parts
from signer_core.errors import InvalidRequestError

Decode = Callable[[bytes], Any]


class DecodingInterceptor(grpc.aio.ServerInterceptor):
    """Decodes requests inside the other interceptors, so that theirs is the answer.

    The last of every server: who may not call is refused before a byte of the request is read.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Rebuild a handler that wants messages into one that takes bytes."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_deserializer is None:
            return handler
        behaviour, make = parts(handler)
        decode = _typed(handler.request_deserializer)
        behaviour = _taking_bytes(behaviour, decode, streaming=handler.request_streaming)
        rebuilt: Handler = make(behaviour, None, handler.response_serializer)
        return rebuilt


def _taking_bytes(
    behaviour: Callable[..., Any], decode: Decode, *, streaming: bool
) -> Callable[..., Any]:
    def run(request: Any, context: Context) -> Any:
        return behaviour(_Decoded(request, decode) if streaming else decode(request), context)

    return run


def _typed(deserialise: Decode) -> Decode:
    def decode(data: bytes) -> Any:
        try:
            return deserialise(data)
        except DecodeError:
            raise InvalidRequestError("the request is no message of this method") from None

    return decode


class _Decoded:
    """The messages of a stream. Mutable, as the stream is."""

    def __init__(self, stream: AsyncIterator[bytes], decode: Decode) -> None:
        self._stream, self._decode = stream, decode

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return self._decode(await anext(self._stream))
