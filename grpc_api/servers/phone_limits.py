"""How many streams one device may open."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from grpc_api.servers.last_minute import LastMinute
from signer_core.errors import UnavailableError
from signer_core.identifiers import DeviceKeyHash

DOCUMENTS_AT_ONCE: Final = 4  # each holds up to 21 MiB in memory
DOCUMENTS_A_MINUTE: Final = 600  # a request of 64 files may be fetched several times
CLAIMS_A_MINUTE: Final = 20  # each is a scan; one that is refused leaves a row in the audit log
KEY_CALLS_A_MINUTE: Final = 10  # a person does this by hand; each may leave a row in the database


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """Per device and process."""

    streams: int = 4  # at once
    streams_a_minute: int = 60
    idle_s: float = 600  # without a message in either direction
    message_bytes: int = 64 * 1024


class StreamGate:
    """Counts the streams of each device. Mutable: it is the count."""

    def __init__(self, at_once: int, a_minute: int) -> None:
        self._at_once = at_once
        self._open: Counter[DeviceKeyHash] = Counter()
        self._rate = LastMinute(a_minute)

    @contextmanager
    def admit(self, device: DeviceKeyHash) -> Iterator[None]:
        """Let one stream in, for as long as the block runs.

        Raises:
            UnavailableError: the device has too many streams, or opened too many in a minute.
        """
        if self._open[device] >= self._at_once:
            raise UnavailableError("this phone has too many connections open: close one")
        if not self._rate.hit(device):
            raise UnavailableError("this phone connects too often: wait a minute")
        self._open[device] += 1
        try:
            yield
        finally:
            self._open[device] -= 1
            if not self._open[device]:
                del self._open[device]


class CallGate:
    """Counts the calls of each device. Mutable: it is the count."""

    def __init__(self, a_minute: int) -> None:
        self._rate = LastMinute(a_minute)

    def admit(self, device: DeviceKeyHash) -> None:
        """Let one call in.

        Raises:
            UnavailableError: the device called too often in a minute.
        """
        if not self._rate.hit(device):
            raise UnavailableError("this phone calls too often: wait a minute")
