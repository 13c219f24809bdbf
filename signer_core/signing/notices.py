"""Wake those who watch a key or a request, in this process and those it passes it on to."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Bell:
    """Rings when something changed since it was last waited for."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the one who waits, or the next to wait."""
        self._event.set()

    async def wait(self, timeout_s: float) -> None:
        """Wait for a ring, at most `timeout_s`: another process may have changed the database."""
        try:
            await asyncio.wait_for(self._event.wait(), timeout_s)
        except TimeoutError:
            return
        self._event.clear()


class Notices:
    """Who watches what; a topic is a key id or a request id."""

    def __init__(self) -> None:
        self._bells: dict[bytes, set[Bell]] = {}
        self._others: list[Callable[[bytes], None]] = []

    def tell(self, *topics: bytes) -> None:
        """Wake everyone who watches one of the topics."""
        for topic in topics:
            self.ring(topic)
            for pass_on in self._others:
                pass_on(topic)

    def ring(self, topic: bytes) -> None:
        """Wake those in this process."""
        for bell in self._bells.get(topic, ()):
            bell.ring()

    def pass_on(self, to: Callable[[bytes], None]) -> None:
        """Tell `to` each topic as well."""
        self._others.append(to)

    @contextmanager
    def watch(self, topic: bytes) -> Iterator[Bell]:
        """Watch a topic. Look at the database only after entering, so that nothing is missed."""
        bell = Bell()
        self._bells.setdefault(topic, set()).add(bell)
        try:
            yield bell
        finally:
            bells = self._bells[topic]
            bells.discard(bell)
            if not bells:
                del self._bells[topic]
