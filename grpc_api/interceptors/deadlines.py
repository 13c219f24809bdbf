"""A limit on the time of every call that is not a stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from grpc_api.interceptors.around import Around, Handler, SurroundInterceptor, is_stream
from signer_core.errors import UnavailableError

UNARY_LIMIT_S = 30.0  # twice the clients' own deadline: a client gives up first


def deadline_interceptor(limit_s: float = UNARY_LIMIT_S) -> SurroundInterceptor:
    """End calls that take too long, whatever deadline the client set; streams have their own."""

    def limit(_method: str, handler: Handler) -> Around:
        return lambda _: nullcontext() if is_stream(handler) else _limited(limit_s)

    return SurroundInterceptor(limit)


@asynccontextmanager
async def _limited(limit_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError:
        raise UnavailableError("the work took too long: try again later") from None
