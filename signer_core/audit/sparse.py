"""Events that strangers could cause without end: one a minute of each kind is enough."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from signer_core.audit.events import Event
from signer_core.errors import UnavailableError

QUIET_S: Final = 60.0
_MAX_KNOWN: Final = 10_000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class SparseRecorder:
    """Records an event unless the same was recorded a minute ago. Mutable: it remembers."""

    record: Callable[[Event], Awaitable[None]]
    clock_s: Callable[[], float] = time.monotonic
    _last: dict[tuple[str, str, str], float] = field(default_factory=dict)

    async def __call__(self, event: Event) -> None:
        """Record it, or let it go; where it cannot be written, the log of the process says so."""
        what = (event.name, event.source, event.subject)
        now_s = self.clock_s()
        if now_s - self._last.get(what, -QUIET_S) < QUIET_S:
            return
        if len(self._last) >= _MAX_KNOWN:
            self._last.clear()
        self._last[what] = now_s
        try:
            await self.record(event)
        except UnavailableError:
            _log.warning("event-not-recorded", reason=event.name)
