"""A callback: one message to a partner, the same bytes however often it is sent."""

from dataclasses import dataclass, field
from typing import Final

JOB_KIND: Final = "callback.post"  # its body: {"partner_id": ...}; the job has the callback's id
KEPT_S: Final = 7 * 86_400  # signatures are personal data: no longer, delivered or not

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What a partner is told, as it stands in the body."""

    media_type: str
    body: bytes = field(repr=False)  # of 64 signatures some 300 KiB
    headers: Headers = ()  # beside those that every callback has


@dataclass(frozen=True, slots=True)
class Callback:
    """A message as it is sent."""

    callback_id: bytes  # 16 bytes
    offer_id: bytes  # 16 bytes: what it is about; one callback an offer
    partner_id: str
    address: str  # of the partner's record at that time
    headers: Headers
    body: bytes = field(repr=False)
