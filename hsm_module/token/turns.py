"""Whose turn it is at the token: one call at a time, short ones without a change of thread.

A MAC takes 25 µs and a hop to another thread and back 100 µs, so a short call runs on the thread
that wants it, if nobody else has the token just then. Measured (SoftHSM 2.6.1): one lock round
every PKCS#11 call is as clean as one thread for all of them; only two calls at once crash.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from hsm_module.token.errors import TokenFault, TokenFaultError
from signer_core.observe.metrics import TOKEN_QUEUE

SHORT_S: Final = 0.001  # a token whose short calls take longer on average holds up no event loop
_WEIGHT: Final = 1 / 64  # of the newest call in that average

T = TypeVar("T")


class Turns:
    """One lock round the token, and a thread for those who wait. Mutable: it owns both."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hsm")
        self._turn = threading.Lock()
        self._mean_s = 0.0
        self._ended = False

    async def take(self, work: Callable[[], T], *, short: bool = False) -> T:
        """Run `work` alone at the token: at once if it is `short` and the token is free.

        Raises:
            TokenFaultError: there are no turns any more.
        """
        self._check_open()
        if short and self._mean_s < SHORT_S and self._turn.acquire(blocking=False):
            try:
                self._check_open()
                return self._clocked(work)
            finally:
                self._turn.release()
        run = self._clocked if short else _plain
        with TOKEN_QUEUE.track_inprogress():
            return await asyncio.wrap_future(self._thread.submit(self._waiting, run, work))

    async def end(self, last: Callable[[], None]) -> None:
        """Run `last` and end the thread; who still waits then is refused, as who comes later."""

        def finish() -> None:
            self._ended = True
            last()

        await asyncio.wrap_future(self._thread.submit(self._waiting, _plain, finish))
        self._thread.shutdown()

    def _waiting(self, run: Callable[[Callable[[], T]], T], work: Callable[[], T]) -> T:
        with self._turn:
            self._check_open()
            return run(work)

    def _check_open(self) -> None:
        if self._ended:
            raise TokenFaultError(TokenFault.MISUSED, "the token is not open")

    def _clocked(self, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        try:
            return work()
        finally:
            self._mean_s += _WEIGHT * (time.perf_counter() - began - self._mean_s)


def _plain(work: Callable[[], T]) -> T:
    return work()
