"""Spans of a trace, and steps: a span that is also timed. Without a collector they cost nothing.

What a span may tell is the parameters of `span`, and no more: no id but the correlation id, no
name, no bytes, no text of an error.
"""

import functools
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, ParamSpec, TypeVar

import structlog
from opentelemetry import trace

from signer_core.errors import SignerError
from signer_core.observe.metrics import STEP_SECONDS

CORRELATION: Final = "correlation_id"
ATTRIBUTES: Final = frozenset({CORRELATION, "code"})

P = ParamSpec("P")
T = TypeVar("T")

_tracer = trace.get_tracer("diia-signer")


@contextmanager
def span(name: str) -> Iterator[None]:
    """Run a block as a span; how it ended is told by the code of its error."""
    known = structlog.contextvars.get_contextvars().get(CORRELATION)
    attributes = {CORRELATION: known} if isinstance(known, str) else {}
    with _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield
        except BaseException as error:
            current.set_attribute("code", code_of(error))
            current.set_status(trace.StatusCode.ERROR)
            raise


@contextmanager
def step(name: str) -> Iterator[None]:
    """Run a block as a span of this name, and time it."""
    began = time.perf_counter()
    try:
        with span(name):
            yield
    finally:
        STEP_SECONDS.labels(name).observe(time.perf_counter() - began)


def timed(name: str) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Decorate a coroutine function: each call is a step."""

    def decorate(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(work)
        async def run(*args: P.args, **kwargs: P.kwargs) -> T:
            with step(name):
                return await work(*args, **kwargs)

        return run

    return decorate


def code_of(error: BaseException) -> str:
    """Name how something ended, in a word of docs/errors.md, `cancelled` or `internal`."""
    if isinstance(error, SignerError):
        return error.code
    return "internal" if isinstance(error, Exception) else "cancelled"
