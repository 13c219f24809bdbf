"""The one grant: a code with PKCE, for an ID token and an access token."""

import hashlib
import time
from typing import Any, Final

from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from authlib.oidc.core.grants.util import create_half_hash

from portal_web.login.assertions import METHOD
from portal_web.login.bridge import wait_for
from portal_web.login.clients import Client
from signer_core.errors import InvalidRequestError as MalformedError
from signer_core.errors import NotFoundError
from signer_core.login.model import Login

AUTH_METHODS: Final = [METHOD, "client_secret_basic", "client_secret_post"]
# How the person showed who they are (RFC 8176): a key, the PIN, the photo check.
ACR: Final = "urn:diia-signer:acr:signature"
AMR: Final = ["pop", "pin", "face", "mfa"]
ID_TOKEN_S: Final = 300
_ALGORITHM: Final = "ES256"
_CHALLENGE_CHARACTERS: Final = 43  # base64url of a SHA-256


class Code(AuthorizationCodeMixin):  # type: ignore[misc]  # Authlib has no types
    """A redeemed code; the methods are Authlib's."""

    code_challenge_method = "S256"

    def __init__(self, login: Login) -> None:
        self.login = login
        self.code_challenge = login.code_challenge

    def get_redirect_uri(self) -> str:
        """Return where the browser was sent."""
        return self.login.redirect_uri

    def get_scope(self) -> str:
        """Return what the person agreed to."""
        return self.login.scope


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """Authlib's, over the signer. A code is used up when it is looked for, whatever comes then."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: Client) -> str:
        """Return the address, which is there and the client's, to the last character."""
        redirect_uri: str | None = request.payload.redirect_uri
        if redirect_uri is None or not client.check_redirect_uri(redirect_uri):
            raise InvalidRequestError("The redirect_uri is not one of the client's.")
        return redirect_uri

    def generate_authorization_code(self) -> str:
        """Return the code that the signer made of the approved offer."""
        code: str = self.request.login_code
        return code

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Do nothing: the signer has it."""

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        """Use up a code of this client."""
        try:
            return Code(wait_for(self.server.logins.redeem(client.client_id, code)))
        except (NotFoundError, MalformedError):
            return None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Do nothing: it is used up."""

    def authenticate_user(self, authorization_code: Code) -> Login:
        """Return the login."""
        return authorization_code.login


class Challenge(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """PKCE with S256 for every client; Authlib alone would let confidential ones do without."""

    DEFAULT_CODE_CHALLENGE_METHOD = None
    SUPPORTED_CODE_CHALLENGE_METHOD: Final = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with another method."""
        data = grant.request.payload.data
        if len(data.get("code_challenge", "")) != _CHALLENGE_CHARACTERS:
            raise InvalidRequestError("Send a code_challenge of 43 characters (RFC 7636).")
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The code_challenge_method is S256, and has to be sent.")
        super().validate_code_challenge(grant, redirect_uri)


class IdTokens(OpenIDCode):  # type: ignore[misc]  # Authlib has no types
    """ID tokens, signed in the vault: of what stands in them the portal says the least."""

    def exists_nonce(self, _nonce: str, _request: Any) -> bool:
        """Return no: a nonce is the client's to compare; a code is good once."""
        return False

    def encode_id_token(self, token: dict[str, Any], request: Any) -> str:
        """Let the signer remember the access token and the vault sign.

        Raises:
            InvalidGrantError: the code was used a second time meanwhile.
        """
        now_s, access_token = int(time.time()), token["access_token"]
        claims = {
            "iss": request.issuer,
            "iat": now_s,
            "exp": now_s + ID_TOKEN_S,
            "acr": ACR,
            "amr": AMR,
            "at_hash": create_half_hash(access_token, _ALGORITHM).decode(),
        }
        login_id, client_id = request.user.login_id, request.client.client_id
        hashed = hashlib.sha256(access_token.encode()).digest()
        try:
            signed = wait_for(request.logins.issue_tokens(login_id, client_id, hashed, claims))
        except NotFoundError:
            raise InvalidGrantError("Invalid 'code' in request.") from None
        return str(signed)
