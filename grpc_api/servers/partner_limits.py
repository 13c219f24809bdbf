"""How often partners are made, and how many wrong secrets are answered."""

from typing import Final

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from signer_core.errors import UnavailableError

_log = structlog.get_logger()

NEW_AN_HOUR: Final = 10  # partners from one address: a class of students shares one
NEW_AN_HOUR_IN_ALL: Final = 200
WRONG_A_MINUTE: Final = 20  # of one partner: a program that was set up wrongly


class NewPartners:
    """Counts partners that developers make. Mutable: it is the count of this process."""

    def __init__(self, an_hour: int = NEW_AN_HOUR, in_all: int = NEW_AN_HOUR_IN_ALL) -> None:
        self._each, self._all = RateLimitItemPerHour(an_hour), RateLimitItemPerHour(in_all)
        self._rate = MovingWindowRateLimiter(MemoryStorage())

    def admit(self, source: str) -> None:
        """Let one be made.

        Raises:
            UnavailableError: this source, or all together, made too many.
        """
        if not self._rate.hit(self._each, "source", source):
            raise UnavailableError("too many partners were made from here: wait an hour")
        if not self._rate.hit(self._all, "all"):
            raise UnavailableError("too many partners are being made now: try again in an hour")


class WrongSecrets:
    """Counts wrong secrets. Mutable: it is the count of this process.

    A secret has 256 bits, so this keeps nobody from guessing it; it keeps a program that is set up
    wrongly from asking without end, and tells whoever reads the log. Right secrets are not counted:
    nobody can shut a partner out by guessing.
    """

    def __init__(self, a_minute: int = WRONG_A_MINUTE) -> None:
        self._each: RateLimitItem = RateLimitItemPerMinute(a_minute)
        self._rate = MovingWindowRateLimiter(MemoryStorage())

    def count(self, partner_id: str) -> None:
        """Count a wrong one.

        Raises:
            UnavailableError: there were too many.
        """
        if not self._rate.hit(self._each, partner_id[:64]):
            _log.warning("wrong-secrets", partner_id=partner_id[:64])
            raise UnavailableError("too many wrong secrets of this partner: wait a minute")
