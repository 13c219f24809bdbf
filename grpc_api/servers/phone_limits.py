"""How many streams one device may open."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from signer_core.errors import UnavailableError
from signer_core.identifiers import DeviceKeyHash


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Per device and process."""

    streams: int = 4  # at once
    streams_a_minute: int = 60
    idle_s: float = 600  # without a message in either direction
    message_bytes: int = 64 * 1024


class StreamGate:
    """Counts the streams of each device. Mutable: it is the count."""

    def __init__(self, limits: RelayLimits) -> None:
        self._limits = limits
        self._open: Counter[DeviceKeyHash] = Counter()
        self._rate = MovingWindowRateLimiter(MemoryStorage())

    @contextmanager
    def admit(self, device: DeviceKeyHash) -> Iterator[None]:
        """Let one stream in, for as long as the block runs.

        Raises:
            UnavailableError: the device has too many streams, or opened too many in a minute.
        """
        if self._open[device] >= self._limits.streams:
            raise UnavailableError("this phone has too many connections open: close one")
        per_minute = RateLimitItemPerMinute(self._limits.streams_a_minute)
        if not self._rate.hit(per_minute, device.hex()):
            raise UnavailableError("this phone connects too often: wait a minute")
        self._open[device] += 1
        try:
            yield
        finally:
            self._open[device] -= 1
            if not self._open[device]:
                del self._open[device]
