"""Room on the disks that events are written to: told before it ends."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from signer_core.audit.events import Event
from signer_core.errors import UnavailableError
from signer_core.observe.metrics import AUDIT_SPACE

LOW_BYTES: Final = 1 << 30  # a week of 10 events a second
ENOUGH_BYTES: Final = 3 << 29
_PAUSE_S: Final = 10.0

_log = structlog.get_logger(__name__)


def free_bytes(folder: Path) -> int:
    """Return the room that is left for a folder, to us."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


@dataclass(slots=True)
class SpaceWatch:
    """Looks at each disk every ten seconds. Mutable: it remembers what it told."""

    folders: Mapping[str, Path]  # by the event's reason: "database", "file"
    record: Callable[[Event], Awaitable[None]]
    free: Callable[[Path], int] = free_bytes
    _low: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self.look()
            except (UnavailableError, OSError):
                _log.warning("audit-space-unknown")
            await asyncio.sleep(_PAUSE_S)

    async def look(self) -> None:
        """Measure, and record what has changed.

        Raises:
            UnavailableError: the event cannot be written.
        """
        for name, folder in self.folders.items():
            room = self.free(folder)
            AUDIT_SPACE.labels(name).set(room)
            if room < LOW_BYTES and name not in self._low:
                await self.record(Event("audit-space", "low", reason=name))
                self._low.add(name)
            elif room >= ENOUGH_BYTES and name in self._low:
                await self.record(Event("audit-space", "enough", reason=name))
                self._low.discard(name)
