"""Async calls from Authlib, which asks its stores without `await` (docs/adr/0016-authlib.md).

`run` runs plain code in a greenlet; there `wait_for` hands an awaitable out to the task that runs
it, and comes back with its result. Other tasks go on meanwhile; no thread is taken.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from greenlet import getcurrent, greenlet

T = TypeVar("T")


class _Bridge(greenlet):  # type: ignore[misc]  # greenlet has no types
    """Plain code that may wait."""


async def run(work: Callable[[], T]) -> T:
    """Return the result of `work`, in which `wait_for` may be called; raises what it raises."""
    inner = _Bridge(work)
    passed: Any = inner.switch()
    while not inner.dead:
        try:
            value = await passed
        except BaseException as error:  # noqa: BLE001  whatever it is, it is the inner code's
            passed = inner.throw(error)
        else:
            passed = inner.switch(value)
    return cast("T", passed)


def wait_for(awaitable: Awaitable[T]) -> T:
    """Return the result of an awaitable; only within `run`."""
    here = getcurrent()
    if not isinstance(here, _Bridge) or here.parent is None:
        raise RuntimeError("nobody is there to wait")
    return cast("T", here.parent.switch(awaitable))
