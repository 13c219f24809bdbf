"""A kind of job is a coroutine that does it once, or says why it did not work."""

from collections.abc import Awaitable, Callable, Mapping

Work = Callable[[str, bytes], Awaitable[None]]
"""Takes the job's id (32 hex digits) and its body; raises `TryLaterError` or `GiveUpError`."""

Kinds = Mapping[str, Work]


class TryLaterError(Exception):
    """It did not work now; the message is a sentence without data, for the log of dead letters."""


class GiveUpError(Exception):
    """It will never work."""
