"""Client authentication by a signed assertion (RFC 7523 §3), with what Authlib leaves to us."""

from typing import Any, Final

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from portal_web.login.bridge import wait_for
from portal_web.login.clients import Client
from portal_web.login.ports import LoginStore
from signer_core.errors import DeniedError, InvalidRequestError

METHOD: Final = "private_key_jwt"
_WRONG: Final = "The assertion is not good."


class KeyAssertion(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib has no types
    """ES256 alone, for us, once; Authlib checks iss, sub, aud and exp."""

    CLIENT_AUTH_METHOD = METHOD

    def __init__(self, logins: LoginStore, audiences: list[str]) -> None:
        super().__init__()
        self._logins, self._audiences = logins, audiences

    def __call__(self, query_client: Any, request: Any) -> Any:
        """Authenticate; whatever is wrong with an assertion is one error."""
        try:
            return super().__call__(query_client, request)
        except (ValueError, TypeError, KeyError):  # of what Authlib and joserfc do not foresee
            raise InvalidClientError(description=_WRONG) from None

    def get_audiences(self) -> list[str]:
        """Return whom an assertion must be for: our issuer, or an endpoint of ours."""
        return self._audiences

    def resolve_client_public_key(self, client: Client) -> KeySet:
        """Return the client's keys from its signed record."""
        if not client.partner.keys:
            raise InvalidClientError(description="This client has no key.")
        return client.keys()

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        """Verify the signature, with ES256 whatever the header says, then the claims."""
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=["ES256"])
        except JoseError:
            raise InvalidClientError(description=_WRONG) from None
        self.verify_claims(token.claims)
        return token.claims

    def validate_jti(self, claims: dict[str, Any], jti: Any) -> bool:
        """Use the assertion up; tell whether it was there to be used."""
        if not isinstance(jti, str):
            raise InvalidClientError(description=_WRONG)
        try:
            wait_for(self._logins.use_assertion(claims["sub"], jti, int(claims["exp"])))
        except DeniedError:
            return False
        except InvalidRequestError as error:
            raise InvalidClientError(description=f"{error}.") from None
        return True
