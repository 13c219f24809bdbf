"""What login asks of the signer."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from grpc_api.clients.offers import CreatedOffer, NewOffer
from grpc_api.clients.partners import Partner
from portal_web.sign_in.ports import Offers
from signer_core.identifiers import OfferId
from signer_core.login.logins import OfferClaim
from signer_core.login.model import Login
from signer_core.login.ports import LoginKey


class Partners(Protocol):
    """The part of `grpc_api.clients.partners.PartnersClient` that login needs."""

    async def get(self, partner_id: str) -> Partner:
        """Return a partner; NotFoundError or DeniedError where it may do nothing."""
        ...

    async def check_secret(self, partner_id: str, secret: str) -> None:
        """Check a partner's secret; DeniedError where it is not that."""
        ...


class LoginOffers(Offers, Protocol):
    """The part of `grpc_api.clients.offers.OffersClient` that login and its page need."""

    async def create(self, offer: NewOffer) -> CreatedOffer:
        """Make an offer."""
        ...

    async def withdraw(self, offer_id: OfferId) -> None:
        """Withdraw an offer that nobody has approved."""
        ...


class LoginStore(Protocol):
    """What `grpc_api.clients.login.LoginClient` does; its docstrings say what each raises."""

    async def push(self, client_id: str, parameters: Mapping[str, str]) -> tuple[str, int]:
        """Keep parameters; return the reference and the seconds it is good for."""
        ...

    async def take(self, client_id: str, reference: str) -> dict[str, str]:
        """Take pushed parameters, once."""
        ...

    async def use_assertion(self, client_id: str, jti: str, expires_at_s: int) -> None:
        """Use up a client assertion."""
        ...

    async def issue_code(self, offer: OfferClaim, statement: str, code_challenge: str) -> str:
        """Make a code of an approved offer."""
        ...

    async def redeem(self, client_id: str, code: str) -> Login:
        """Use up a code."""
        ...

    async def issue_tokens(
        self, login_id: bytes, client_id: str, token_hash: bytes, claims: Mapping[str, Any]
    ) -> str:
        """Remember an access token and return the ID token."""
        ...

    async def find_token(self, token_hash: bytes) -> Login:
        """Return what an access token is good for."""
        ...

    async def end(
        self, client_id: str, *, token_hash: bytes | None = None, login_id: bytes | None = None
    ) -> None:
        """End a login."""
        ...

    async def keys(self) -> Sequence[LoginKey]:
        """Return the keys that ID tokens are signed with."""
        ...
