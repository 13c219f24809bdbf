"""A tick a second for thousands of listeners, spread over the second."""

import asyncio
import itertools
from typing import Final

SLOTS: Final = 20  # a second: whoever is woken together is served before the next slot


class Ticker:
    """Sets each registered event once a second; one task for all, none while nobody listens."""

    def __init__(self) -> None:
        self._slots: list[set[asyncio.Event]] = [set() for _ in range(SLOTS)]
        self._next_slot = itertools.cycle(range(SLOTS))
        self._task: asyncio.Task[None] | None = None

    def add(self, event: asyncio.Event) -> None:
        """Set `event` every second from now on."""
        self._slots[next(self._next_slot)].add(event)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def remove(self, event: asyncio.Event) -> None:
        """Leave it alone again."""
        for slot in self._slots:
            slot.discard(event)
        if self._task is not None and not any(self._slots):
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for slot in itertools.cycle(self._slots):
            for event in slot:
                event.set()
            due += 1 / SLOTS
            # A busy second is not made up for: what was missed is missed.
            due = max(due, loop.time())
            await asyncio.sleep(due - loop.time())
