"""How many events wait to be fetched: beyond a bound the vault judges nothing (docs/adr/0010)."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from hsm_module.storage.store import Store
from signer_core.audit.events import Event
from signer_core.errors import UnavailableError
from signer_core.observe.metrics import AUDIT_WAITING

BOUND: Final = 100_000  # events: some 40 MB, an hour of 20 signatures a second
_PAUSE_S: Final = 1.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class BacklogWatch:
    """Counts once a second. Mutable: it remembers what it said last."""

    store: Store
    bound: int = BOUND
    said: str = "resumed"

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self.look()
            except UnavailableError:
                _log.warning("audit-backlog-unknown")  # what is judged needs the database, too
            await asyncio.sleep(_PAUSE_S)

    async def look(self) -> None:
        """Count, stop or allow judgements, and record what has changed."""
        async with self.store.reading() as transaction:
            waiting = await transaction.audit.count_waiting(self.bound + 1)
        AUDIT_WAITING.set(waiting)
        self.store.audit_stopped = waiting > self.bound
        state = self._state(waiting)
        if state != self.said:
            await self.store.record(Event("audit-outbox", state))
            self.said = state

    def _state(self, waiting: int) -> str:
        """Half full is told; it is told again only after it was below a quarter."""
        if waiting > self.bound:
            return "stopped"
        if waiting > self.bound // 2:
            return "filling"
        return self.said if waiting > self.bound // 4 and self.said == "filling" else "resumed"
