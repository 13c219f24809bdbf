"""A kind of job is a coroutine that does it once, or says why it did not work."""

import json
from collections.abc import Awaitable, Callable, Mapping

from signer_core.callbacks.model import JOB_KIND as CALLBACK

__all__ = ["CALLBACK", "GiveUpError", "Kinds", "TryLaterError", "Work", "lane_of"]

Work = Callable[[str, bytes], Awaitable[None]]
"""Takes the job's id (32 hex digits) and its body; raises `TryLaterError` or `GiveUpError`."""

Kinds = Mapping[str, Work]


class TryLaterError(Exception):
    """It did not work now; the message is a sentence without data, for the log of dead letters."""


class GiveUpError(Exception):
    """It will never work."""


def lane_of(kind: str, body: str) -> str:
    """Return the lane of a job: those of one lane wait for each other, and for no other.

    Callbacks have one for each partner, other kinds one each.
    """
    if kind == CALLBACK:
        return f"{kind}/{json.loads(body)['partner_id']}"
    return kind
