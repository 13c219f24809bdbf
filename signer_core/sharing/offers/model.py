"""What the signer keeps of an offer, and the state that follows from it and its request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from signer_core.identifiers import KeyId, OfferId, RequestId
from signer_core.protocol.offer_link import verification_number
from signer_core.protocol.request_kind import RequestKind
from signer_core.signing.model import RequestStatus


class Stored(StrEnum):
    """What is written down of an offer; once it is claimed, its request says the rest."""

    OPEN = "open"
    CLAIMED = "claimed"
    WITHDRAWN = "withdrawn"  # before anybody claimed it
    COLLECTED = "collected"


class OfferStatus(StrEnum):
    """What becomes of an offer."""

    OPEN = "open"  # nobody has opened it yet
    SHOWN = "shown"  # on a phone's screen
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CONSUMED = "consumed"  # collected
    BURNED = "burned"  # void after a session that ended badly

    @property
    def is_final(self) -> bool:
        """Whether nothing becomes of it any more without the partner."""
        return self not in (OfferStatus.OPEN, OfferStatus.SHOWN)


_OF_REQUEST: Final[Mapping[RequestStatus, OfferStatus]] = {
    RequestStatus.OPEN: OfferStatus.SHOWN,
    RequestStatus.CONSUMED: OfferStatus.APPROVED,
    RequestStatus.DECLINED: OfferStatus.DECLINED,
    RequestStatus.EXPIRED: OfferStatus.EXPIRED,
    RequestStatus.BURNED: OfferStatus.BURNED,
    RequestStatus.WITHDRAWN: OfferStatus.WITHDRAWN,
    RequestStatus.REPLACED: OfferStatus.BURNED,  # and no other took its place
}


@dataclass(frozen=True, slots=True)
class OfferFile:
    """A file to be signed by its hash."""

    name: str = field(repr=False)  # 1 to 200 characters, no path
    file_hash: bytes  # 32 bytes, SHA-256
    size_bytes: int = 0  # of the document for reading; 0: there is none
    media_type: str = ""  # of that document


@dataclass(frozen=True, slots=True)
class OfferContent:
    """What is asked of whoever claims it."""

    relying_party_id: str
    relying_party: str = field(repr=False)  # compact JWS by the registry key, as it was then
    kind: RequestKind
    purpose: str = field(repr=False)  # 1 to 300 characters
    return_address: str = field(repr=False)
    challenge: bytes = field(repr=False)  # 32 bytes, or empty for files
    statement: str = field(repr=False)  # text whose SHA-256 the challenge is, or empty
    initiator: str = field(repr=False)  # a hint for the person, at most 200 characters
    same_device: bool
    person_code: str = field(repr=False)  # whose phones alone may claim it, or empty
    files: tuple[OfferFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """The request that came of an offer."""

    request_id: RequestId
    key_id: KeyId
    status: RequestStatus  # as stored
    request_hash: bytes  # 32 bytes
    decline_reason: str = field(repr=False)
    ended_at_s: int | None  # Unix time, once it is over


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer as stored."""

    offer_id: OfferId
    content: OfferContent
    link_secret: bytes = field(repr=False)  # 32 bytes
    stored: Stored
    created_at_s: int  # Unix time
    expires_at_s: int  # Unix time
    claimed: Claimed | None = None
    collector: bytes = field(default=b"", repr=False)  # 32 bytes, once collected
    antibot_token: bytes = field(default=b"", repr=False)  # 32 bytes, once confirmed

    def status_at(self, now_s: int) -> OfferStatus:
        """Return the status at `now_s` (Unix time): expiry follows from time, not from a job."""
        match self.stored:
            case Stored.WITHDRAWN:
                return OfferStatus.WITHDRAWN
            case Stored.COLLECTED:
                return OfferStatus.CONSUMED
        is_over = now_s >= self.expires_at_s
        if self.claimed is None or self.claimed.status is RequestStatus.NEW:
            return OfferStatus.EXPIRED if is_over else OfferStatus.OPEN
        found = _OF_REQUEST[self.claimed.status]
        return OfferStatus.EXPIRED if found is OfferStatus.SHOWN and is_over else found

    def state_at(self, now_s: int) -> "OfferState":
        """Return what the one who made it may know at `now_s` (Unix time)."""
        shown = self.claimed
        if shown is None or shown.status is RequestStatus.NEW:
            return OfferState(self.status_at(now_s), self.expires_at_s)
        number = verification_number(shown.request_hash)
        return OfferState(self.status_at(now_s), self.expires_at_s, shown.decline_reason, number)


@dataclass(frozen=True, slots=True)
class OfferState:
    """State of an offer."""

    status: OfferStatus
    expires_at_s: int  # Unix time
    decline_reason: str = field(default="", repr=False)
    verification_number: str = ""  # 4 digits, once it is on a phone
