"""How often something happened in the last minute: a moving window without threads of its own."""

import time
from collections import Counter, deque
from collections.abc import Hashable

_WINDOW_S = 60


class LastMinute:
    """Counts events by key. Mutable: it is the count, of at most one minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: Counter[Hashable] = Counter()
        self._events: deque[tuple[float, Hashable]] = deque()  # oldest first

    def hit(self, key: Hashable) -> bool:
        """Count one event of a key, or return False: it had its share."""
        now = time.monotonic()
        self._forget_before(now - _WINDOW_S)
        if self._counts.get(key, 0) >= self._most:
            return False
        self._counts[key] += 1
        self._events.append((now, key))
        return True

    def _forget_before(self, oldest: float) -> None:
        while self._events and self._events[0][0] <= oldest:
            _, key = self._events.popleft()
            self._counts[key] -= 1
            if not self._counts[key]:
                del self._counts[key]
