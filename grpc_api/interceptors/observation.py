"""Counts, times and traces every call."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from grpc_api.interceptors.around import Around, Handler, SurroundInterceptor
from signer_core.observe.metrics import CALL_SECONDS, CALLS, CALLS_OPEN
from signer_core.observe.spans import code_of, span


def observation_interceptor() -> SurroundInterceptor:
    """Observe the calls of known methods; after the correlation id is bound."""

    def observe(method: str, _handler: Handler) -> Around:
        return lambda _context: _observed(method.removeprefix("/"))

    return SurroundInterceptor(observe)


@asynccontextmanager
async def _observed(method: str) -> AsyncIterator[None]:
    began, code = time.perf_counter(), "ok"
    try:
        with CALLS_OPEN.labels(method).track_inprogress(), span(method):
            yield
    except grpc.aio.AbortError:
        code = "aborted"  # by a servicer that gRPC itself ships: health, reflection
        raise
    except BaseException as error:
        code = code_of(error)
        raise
    finally:
        CALLS.labels(method, code).inc()
        CALL_SECONDS.labels(method).observe(time.perf_counter() - began)
