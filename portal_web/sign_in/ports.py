"""What the sign-in page needs of those whose errand it serves, and of the signer."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from grpc_api.clients.offers import OfferState, OfferView
from signer_core.identifiers import OfferId


@dataclass(frozen=True, slots=True)
class Flow:
    """One browser's errand: what it waits for and where it goes then."""

    offer_id: OfferId
    party: Mapping[str, str] = field(repr=False)  # who asks: its name by language, "uk" and "en"
    done_to: str = field(repr=False)  # a path of the portal, once approved
    cancel_to: str = field(repr=False)  # a path of the portal, for whoever gives up
    can_renew: bool = True  # whether the portal can make another offer for it


class Flows(Protocol):
    """The errands of browsers; each is known to its own browser only."""

    def find(self, request: Request, flow: str) -> Flow:
        """Return the errand of this browser under this name.

        Raises:
            NotFoundError: there is none, or it is another browser's.
        """
        ...

    async def renew(self, request: Request, flow: str, *, same_device: bool) -> Response:
        """Make another offer for the same errand; the answer leads to its page."""
        ...

    def returned(self, request: Request, offer_id: OfferId, return_code: bytes) -> Response:
        """Go on with an offer that was approved on this very device, by its code (16 bytes).

        Raises:
            NotFoundError: this browser did not begin it.
        """
        ...


class Offers(Protocol):
    """The part of `grpc_api.clients.offers.OffersClient` that the page needs."""

    async def get(self, offer_id: OfferId) -> OfferView:
        """Return an offer and its state."""
        ...

    def watch(self, offer_id: OfferId) -> AsyncIterator[OfferState]:
        """Yield the state now and at each change, until it is final."""
        ...
