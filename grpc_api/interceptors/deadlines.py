"""A limit on the time of every call that is not a stream."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc_api.interceptors.around import Around, Handler, Surround, is_stream
from signer_core.errors import UnavailableError

UNARY_LIMIT_S = 30.0  # twice the clients' own deadline: a client gives up first


def deadline_surround(limit_s: float = UNARY_LIMIT_S) -> Surround:
    """End calls that take too long, whatever deadline the client set; streams have their own."""

    def limit(_method: str, handler: Handler) -> Around | None:
        return None if is_stream(handler) else lambda _: _limited(limit_s)

    return limit


@asynccontextmanager
async def _limited(limit_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limit_s):
            yield
    except TimeoutError:
        raise UnavailableError("the work took too long: try again later") from None
