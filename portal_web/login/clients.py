"""Partners as OAuth clients."""

import json
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

from authlib.oauth2.rfc6749 import ClientMixin
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from grpc_api.clients.partners import Partner
from portal_web.login.bridge import wait_for
from portal_web.login.ports import Partners
from signer_core.errors import DeniedError, InvalidRequestError, NotFoundError
from signer_core.login.statement import DATA

SCOPES: Final = ("openid", *DATA)
_FRESH_S: Final = 5.0  # how long a suspension may go unseen
_REMEMBERED: Final = 1000  # partners
_KIND: Final = "auth"  # the scope of a record that lets a partner sign people in
_SECRET_CHARACTERS: Final = 128


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """One partner; the methods are Authlib's."""

    partner: Partner
    partners: Partners = field(repr=False)

    @property
    def id_token_signed_response_alg(self) -> str:
        """Return the one that we have."""
        return "ES256"

    @property
    def client_id(self) -> str:
        """Return its id in the registry."""
        return self.partner.partner_id

    @property
    def client_metadata(self) -> dict[str, Any]:
        """Return what Authlib asks of a registration (RP-initiated logout)."""
        return {"post_logout_redirect_uris": self.partner.return_addresses}

    def get_client_id(self) -> str:
        """Return its id in the registry."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """Return none: a client says each time where the browser goes back to."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """Return what of a scope it may have, in our order; None without `openid`."""
        asked = (scope or "").split()
        if "openid" not in asked:
            return None
        may = {"openid", *self.partner.scopes}
        return " ".join(name for name in SCOPES if name in asked and name in may)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Tell whether the record names exactly this address (RFC 9700 §4.1.3)."""
        return redirect_uri in self.partner.return_addresses

    def check_client_secret(self, client_secret: str) -> bool:
        """Ask the signer."""
        if len(client_secret) > _SECRET_CHARACTERS:
            return False
        try:
            wait_for(self.partners.check_secret(self.client_id, client_secret))
        except (DeniedError, NotFoundError, InvalidRequestError):
            return False
        return True

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """Tell how it authenticates: who has a key never with a secret."""
        if self.partner.keys:
            return method == "private_key_jwt"
        return self.partner.has_secret and method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        """Tell whether it may ask for this: a code, and only who may sign people in."""
        return response_type == "code" and _KIND in self.partner.scopes

    def check_grant_type(self, grant_type: str) -> bool:
        """Tell whether it may have this grant; there are no refresh tokens."""
        return grant_type == "authorization_code" and _KIND in self.partner.scopes

    def keys(self) -> KeySet:
        """Return its keys, for `private_key_jwt`.

        Raises:
            ValueError: the record holds what is no key.
        """
        try:
            return KeySet([ECKey.import_key(one) for one in map(_loads, self.partner.keys)])
        except JoseError:
            raise ValueError("no key") from None


def _loads(jwk: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jwk)
    return found


class Directory:
    """Finds clients. Mutable: it remembers each for some seconds."""

    def __init__(self, partners: Partners) -> None:
        self._partners = partners
        self._known: OrderedDict[str, tuple[float, Client]] = OrderedDict()

    async def find(self, client_id: str) -> Client | None:
        """Return a client, None where there is none or it is suspended."""
        known = self._known.get(client_id)
        if known is not None and time.monotonic() - known[0] < _FRESH_S:
            return known[1]
        self._known.pop(client_id, None)
        try:
            client = Client(await self._partners.get(client_id), self._partners)
        except (NotFoundError, DeniedError, InvalidRequestError):
            return None
        self._known[client_id] = (time.monotonic(), client)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return client
