"""Spans of a trace, and steps: a span that is also timed. Without a collector they cost nothing.

What a span may tell is the parameters of `span`, and no more: no id but the correlation id, no
name, no bytes, no text of an error.
"""

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, ParamSpec, Protocol, TypeAlias, TypeVar

import structlog
from opentelemetry import trace
from prometheus_client import Counter

from signer_core.errors import SignerError
from signer_core.observe.metrics import STEP_SECONDS

CORRELATION: Final = "correlation_id"
FEW_ITEMS: Final = 2  # 0.1 to 0.5 ms each and step: the event loop waits for it
ATTRIBUTES: Final = frozenset({CORRELATION, "code"})

P = ParamSpec("P")
T = TypeVar("T")
Work: TypeAlias = Callable[P, Coroutine[Any, Any, T]]

_seconds = functools.cache(STEP_SECONDS.labels)
_tracer = trace.get_tracer("diia-signer")


def _is_traced() -> bool:
    """Tell whether anybody collects spans: to make one for nobody costs 30 µs."""
    own = not isinstance(_tracer, trace.ProxyTracer)
    return own or not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextmanager
def span(name: str) -> Iterator[None]:
    """Run a block as a span; how it ended is told by the code of its error."""
    if not _is_traced():
        yield
        return
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
        _seconds(name).observe(time.perf_counter() - began)


class Decorator(Protocol):
    """Gives back a coroutine function of the same signature."""

    def __call__(self, work: Work[P, T]) -> Work[P, T]:
        """Decorate it."""
        ...


def timed(name: str) -> Decorator:
    """Decorate a coroutine function: each call is a step."""

    def decorate(work: Work[P, T]) -> Work[P, T]:
        @functools.wraps(work)
        async def run(*args: P.args, **kwargs: P.kwargs) -> T:
            with step(name):
                return await work(*args, **kwargs)

        return run

    return decorate


def counted(counter: Counter) -> Decorator:
    """Decorate a coroutine function: each call is counted under the label `code`, `ok` if well."""

    def decorate(work: Work[P, T]) -> Work[P, T]:
        @functools.wraps(work)
        async def run(*args: P.args, **kwargs: P.kwargs) -> T:
            code = "ok"
            try:
                return await work(*args, **kwargs)
            except BaseException as error:
                code = code_of(error)
                raise
            finally:
                counter.labels(code).inc()

        return run

    return decorate


async def on_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run CPU work beside the event loop, as a step of its own name, such as `VaultSigning.step4`.

    The wait for a free thread is in its time.
    """
    with step(work.__qualname__):
        return await asyncio.to_thread(work, *args, **kwargs)


async def for_items(count: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run the CPU work of a session that signs `count` things, as a step of its own name.

    For a few of them the way to a thread and back costs as much as the work, so it is done here.
    """
    if count > FEW_ITEMS:
        return await on_thread(work, *args, **kwargs)
    with step(work.__qualname__):
        return work(*args, **kwargs)


def code_of(error: BaseException) -> str:
    """Name how something ended, in a word of docs/errors.md, `cancelled` or `internal`."""
    if isinstance(error, SignerError):
        return error.code
    return "internal" if isinstance(error, Exception) else "cancelled"
