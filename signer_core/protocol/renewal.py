"""When a certificate is renewed: near its end, and before it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from signer_core.errors import InvalidRequestError, NotFoundError

RENEW_BEFORE: Final = timedelta(days=30)  # the end, of people's and of processes' certificates


def is_due(not_after: datetime, now: datetime) -> bool:
    """Say whether a certificate with this end is to be renewed now, or should have been."""
    return now >= not_after - RENEW_BEFORE


def verify_due(not_after: datetime, now: datetime) -> None:
    """Check that a certificate with this end is renewed now, neither earlier nor later.

    Raises:
        InvalidRequestError: it is good for more than 30 days.
        NotFoundError: it has run out.
    """
    if now >= not_after:
        raise NotFoundError("this certificate has run out: enrol again")
    if not is_due(not_after, now):
        raise InvalidRequestError(
            f"this certificate is good until {not_after:%Y-%m-%d}:"
            f" renew it from {not_after - RENEW_BEFORE:%Y-%m-%d} on"
        )


def utc(unix_time_s: int) -> datetime:
    """Return a Unix time as a time in UTC."""
    return datetime.fromtimestamp(unix_time_s, UTC)
