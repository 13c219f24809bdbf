"""Counts, times and traces every call."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from grpc_api.interceptors.around import Around, Context, Handler
from signer_core.observe.metrics import CALL_SECONDS, CALLS, CALLS_OPEN
from signer_core.observe.spans import code_of, span


def observation_surround(method: str, _handler: Handler) -> Around:
    """Observe the calls of a known method; after the correlation id is bound."""
    name = method.removeprefix("/")
    calls_open, call_seconds = CALLS_OPEN.labels(name), CALL_SECONDS.labels(name)

    @asynccontextmanager
    async def observed(_context: Context) -> AsyncIterator[None]:
        began, code = time.perf_counter(), "ok"
        calls_open.inc()
        try:
            with span(name):
                yield
        except grpc.aio.AbortError:
            code = "aborted"  # by a servicer that gRPC itself ships: health, reflection
            raise
        except BaseException as error:
            code = code_of(error)
            raise
        finally:
            calls_open.dec()
            CALLS.labels(name, code).inc()
            call_seconds.observe(time.perf_counter() - began)

    return observed
