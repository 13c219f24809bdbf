"""Facts that no statement ever changes, read from the database once."""

from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

REMEMBERED: Final = 4096  # of one kind, some 200 bytes each

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Immutable(Generic[K, V]):
    """Remembers what was found, never that nothing was. Mutable: it is the memory."""

    def __init__(self) -> None:
        self._found: dict[K, V] = {}  # oldest first

    async def get(self, key: K, find: Callable[[K], Awaitable[V | None]]) -> V | None:
        """Return what belongs to `key`, asking `find` where it is not remembered."""
        known = self._found.get(key)
        if known is None and (known := await find(key)) is not None:
            if len(self._found) >= REMEMBERED:
                del self._found[next(iter(self._found))]
            self._found[key] = known
        return known
