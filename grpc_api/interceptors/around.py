"""Run code around a gRPC call of any of the four kinds."""

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:  # only the type stubs are generic
    Handler = grpc.RpcMethodHandler[Any, Any]
    Context = grpc.aio.ServicerContext[Any, Any]
else:
    Handler, Context = grpc.RpcMethodHandler, grpc.aio.ServicerContext
Around = Callable[[Context], AbstractAsyncContextManager[None]]


class SurroundInterceptor(grpc.aio.ServerInterceptor):
    """Runs every known method inside what `surround(method, handler)` returns for it.

    An unknown method stays unknown: gRPC answers UNIMPLEMENTED.
    """

    def __init__(self, surround: Callable[[str, Handler], Around]) -> None:
        self._surround = surround

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Rebuild the handler, where there is one."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        return wrap(handler, self._surround(handler_call_details.method, handler))


def is_stream(handler: Handler) -> bool:
    """True where requests or responses are a stream, which may stay open for long."""
    return bool(handler.request_streaming or handler.response_streaming)


def wrap(handler: Handler, around: Around) -> Handler:
    """Return the same method, run inside `around(context)`.

    An interceptor sees a handler, not the call: it must rebuild the handler, kind by kind.
    """
    behaviour, make = parts(handler)
    wrapper = _streamed if handler.response_streaming else _single
    rebuilt: Handler = make(
        wrapper(behaviour, around), handler.request_deserializer, handler.response_serializer
    )
    return rebuilt


def parts(handler: Handler) -> tuple[Callable[..., Any], Callable[..., Handler]]:
    """Return what a handler does, and what makes another handler of its kind."""
    kinds: list[tuple[Any, Any]] = [
        (handler.unary_unary, grpc.unary_unary_rpc_method_handler),
        (handler.stream_unary, grpc.stream_unary_rpc_method_handler),
        (handler.unary_stream, grpc.unary_stream_rpc_method_handler),
        (handler.stream_stream, grpc.stream_stream_rpc_method_handler),
    ]
    (found,) = [kind for kind in kinds if kind[0] is not None]
    return found


def _single(behaviour: Callable[..., Any], around: Around) -> Callable[..., Any]:
    async def run(request: Any, context: Context) -> Any:
        async with around(context):
            return await behaviour(request, context)

    return run


def _streamed(behaviour: Callable[..., Any], around: Around) -> Callable[..., Any]:
    # Writes the responses itself: a generator that a caller gave up would be closed later and in
    # another context, where what `around` holds (a span, the correlation id) cannot be put back.
    async def run(request: Any, context: Context) -> None:
        async with around(context):
            answer = behaviour(request, context)
            if inspect.isawaitable(answer):
                await answer  # it writes to the context itself, as health does, and as this does
                return
            async with aclosing(answer):
                async for response in answer:
                    await context.write(response)

    return run
