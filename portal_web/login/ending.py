"""The end of a login: revocation (RFC 7009) and logout (OpenID RP-Initiated Logout 1.0)."""

import hashlib
from base64 import urlsafe_b64decode
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, TokenMixin
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint
from joserfc.jwk import KeySet

from portal_web.login.bridge import wait_for
from portal_web.login.clients import Client
from portal_web.login.grants import AUTH_METHODS
from portal_web.login.keys import key_set
from signer_core.errors import NotFoundError
from signer_core.login.model import Login


class Token(TokenMixin):  # type: ignore[misc]  # Authlib has no types
    """An access token that is good now; the methods are Authlib's."""

    def __init__(self, login: Login, token_hash: bytes) -> None:
        self.login, self.token_hash = login, token_hash

    def check_client(self, client: Client) -> bool:
        """Tell whether it is this client's."""
        return self.login.client_id == client.client_id

    def get_scope(self) -> str:
        """Return what the person agreed to."""
        return self.login.scope

    def is_expired(self) -> bool:
        """Return no: the signer gives none that is."""
        return False

    def is_revoked(self) -> bool:
        """Return no: the signer gives none that is."""
        return False


def find_token(logins: Any, token: str) -> Token | None:
    """Return what an access token is, None where it is not good."""
    hashed = hashlib.sha256(token.encode()).digest()
    try:
        return Token(wait_for(logins.find_token(hashed)), hashed)
    except NotFoundError:
        return None


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    """Ends the login of a token."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, _hint: str | None) -> Token | None:
        """Find a token."""
        return find_token(self.server.logins, token_string)

    def revoke_token(self, token: Token, request: Any) -> None:
        """End its login."""
        client_id = request.client.client_id
        wait_for(self.server.logins.end(client_id, token_hash=token.token_hash))


class EndSession(EndSessionEndpoint):  # type: ignore[misc]  # Authlib has no types
    """Ends the login that an ID token tells of; there is no session here beyond it."""

    def get_server_jwks(self) -> KeySet:
        """Return the keys that ID tokens are signed with."""
        return key_set(wait_for(self.server.logins.keys()))

    def get_algorithms(self) -> list[str]:
        """Return the one that we use."""
        return ["ES256"]

    def end_session(self, end_session_request: Any) -> None:
        """End the login, if the request names one."""
        claims, client = end_session_request.id_token_claims, end_session_request.client
        if claims and client:
            wait_for(self.server.logins.end(client.client_id, login_id=_login_id(claims)))


def _login_id(claims: dict[str, Any]) -> bytes:
    try:
        return urlsafe_b64decode(claims["sid"] + "==")
    except (KeyError, TypeError, ValueError):
        raise InvalidRequestError("The ID token names no login.") from None
