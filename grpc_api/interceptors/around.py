"""Run code around a gRPC call of any of the four kinds."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import grpc

if TYPE_CHECKING:  # only the type stubs are generic
    Handler = grpc.RpcMethodHandler[Any, Any]
    Context = grpc.aio.ServicerContext[Any, Any]
else:
    Handler, Context = grpc.RpcMethodHandler, grpc.aio.ServicerContext
Around = Callable[[Context], AbstractAsyncContextManager[None]]
Surround = Callable[[str, Handler], Around | None]
"""Say what to run the calls of a method inside of, None for nothing."""
Decode = Callable[[bytes], Any]


class SurroundInterceptor(grpc.aio.ServerInterceptor):
    """Runs every known method inside what `surrounds` return for it, the first outermost.

    One interceptor for all of them: each wrapper more would handle every message of every stream.
    A request is decoded innermost, after it was looked who calls; and the answer to what is no
    message is ours.

    An unknown method stays unknown: gRPC answers UNIMPLEMENTED. Mutable: it keeps what it built.
    """

    def __init__(self, surrounds: Sequence[Surround], typed: Callable[[Decode], Decode]) -> None:
        self._surrounds = surrounds
        self._typed = typed
        self._built: dict[str, tuple[Handler, Handler]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Rebuild the handler, where there is one."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method
        known = self._built.get(method)
        if known is None or known[0] is not handler:
            known = self._built[method] = handler, self._rebuild(method, handler)
        return known[1]

    def _rebuild(self, method: str, handler: Handler) -> Handler:
        """Return the same method, taking bytes and run inside of everything.

        An interceptor sees a handler, not the call: it must rebuild the handler, kind by kind.
        """
        found = (surround(method, handler) for surround in self._surrounds)
        arounds = [around for around in found if around is not None]
        behaviour, make = _parts(handler)
        if handler.request_deserializer is not None:
            decode = self._typed(handler.request_deserializer)
            behaviour = _taking_bytes(behaviour, decode, streaming=handler.request_streaming)
        wrapper = _streamed if handler.response_streaming else _single
        rebuilt: Handler = make(wrapper(behaviour, arounds), None, handler.response_serializer)
        return rebuilt


def is_stream(handler: Handler) -> bool:
    """True where requests or responses are a stream, which may stay open for long."""
    return bool(handler.request_streaming or handler.response_streaming)


def _parts(handler: Handler) -> tuple[Callable[..., Any], Callable[..., Handler]]:
    """Return what a handler does, and what makes another handler of its kind."""
    kinds: list[tuple[Any, Any]] = [
        (handler.unary_unary, grpc.unary_unary_rpc_method_handler),
        (handler.stream_unary, grpc.stream_unary_rpc_method_handler),
        (handler.unary_stream, grpc.unary_stream_rpc_method_handler),
        (handler.stream_stream, grpc.stream_stream_rpc_method_handler),
    ]
    (found,) = [kind for kind in kinds if kind[0] is not None]
    return found


@asynccontextmanager
async def _inside(arounds: Sequence[Around], context: Context) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for around in arounds:
            await stack.enter_async_context(around(context))
        yield


def _single(behaviour: Callable[..., Any], arounds: Sequence[Around]) -> Callable[..., Any]:
    async def run(request: Any, context: Context) -> Any:
        async with _inside(arounds, context):
            return await behaviour(request, context)

    return run


def _streamed(behaviour: Callable[..., Any], arounds: Sequence[Around]) -> Callable[..., Any]:
    # Writes the responses itself: a generator that a caller gave up would be closed later and in
    # another context, where what `arounds` hold (a span, the correlation id) cannot be put back.
    async def run(request: Any, context: Context) -> None:
        async with _inside(arounds, context):
            answer = behaviour(request, context)
            if inspect.isawaitable(answer):
                await answer  # it writes to the context itself, as health does, and as this does
                return
            async with aclosing(answer):
                async for response in answer:
                    await context.write(response)

    return run


def _taking_bytes(
    behaviour: Callable[..., Any], decode: Decode, *, streaming: bool
) -> Callable[..., Any]:
    def run(request: Any, context: Context) -> Any:
        return behaviour(_Decoded(request, decode) if streaming else decode(request), context)

    return run


class _Decoded:
    """The messages of a stream. Mutable, as the stream is."""

    def __init__(self, stream: AsyncIterator[bytes], decode: Decode) -> None:
        self._stream, self._decode = stream, decode

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        return self._decode(await anext(self._stream))
