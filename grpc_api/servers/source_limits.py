"""How often somebody without a certificate may call, by where the call comes from."""

import ipaddress
from typing import Final
from urllib.parse import unquote

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from signer_core.errors import UnavailableError

_NETWORK_BITS: Final = 64  # of IPv6: what one customer usually has, RIPE-690 §4.2


class SourceGate:
    """Counts calls of each source and of all. Mutable: it is the count of this process.

    A suspend code has 78 bits, so the limits are not what keeps it: they keep the vault from
    being asked without end. The one for all is wide, or a flood would shut out every owner.
    """

    def __init__(self, a_minute: int = 10, all_a_minute: int = 600) -> None:
        self._each = RateLimitItemPerMinute(a_minute)
        self._all = RateLimitItemPerMinute(all_a_minute)
        self._rate = MovingWindowRateLimiter(MemoryStorage())

    def admit(self, source: str) -> None:
        """Let one call in.

        Raises:
            UnavailableError: this source, or all together, called too often.
        """
        if not self._rate.hit(self._each, "source", source):
            raise UnavailableError("too many tries from here: wait a minute")
        if not self._rate.hit(self._all, "all"):
            raise UnavailableError("too many calls now: try again in a minute")


def source_of(peer: str) -> str:
    """Return the source of gRPC's peer (`ipv4:192.0.2.1:40001`): an address, or an IPv6 /64."""
    _, _, address = unquote(peer).partition(":")
    return network_of(address.rpartition(":")[0].strip("[]").partition("%")[0])


def network_of(host: str) -> str:
    """Return what a limit is for: an IPv4 address, an IPv6 /64, or "unknown"."""
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"  # all of them together: nobody gets a limit of his own by a strange name
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, _NETWORK_BITS), strict=False))
    return str(parsed)
