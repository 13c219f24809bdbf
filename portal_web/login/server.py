"""Authlib's authorization server over the signer."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidClientError
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc9207 import IssuerParameter
from starlette.responses import JSONResponse, RedirectResponse, Response

from portal_web.login.assertions import METHOD, KeyAssertion
from portal_web.login.bridge import wait_for
from portal_web.login.clients import Client, Directory
from portal_web.login.ending import EndSession, Revocation
from portal_web.login.grants import AUTH_METHODS, Challenge, CodeGrant, IdTokens
from portal_web.login.parameters import LoginRequest
from portal_web.login.ports import LoginStore
from signer_core.login.model import TOKEN_S

AUTHORIZE: Final = "/oauth/authorize"
PAR: Final = "/oauth/par"
TOKEN: Final = "/oauth/token"  # noqa: S105  a path, no secret
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@dataclass
class Answer:
    """What Authlib answers. Mutable: its extensions change where a browser is sent."""

    status: int
    body: Any = field(repr=False)
    headers: dict[str, str]
    location: str | None = None

    def response(self) -> Response:
        """Return it as Starlette's."""
        if self.location is not None:
            return RedirectResponse(self.location, 303, _NO_STORE)
        return JSONResponse(self.body, self.status, {**self.headers, **_NO_STORE})


class _Issuer(IssuerParameter):  # type: ignore[misc]  # Authlib has no types
    """`iss` in every answer that goes through the browser (RFC 9207)."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        """Return ours."""
        return self._issuer


class LoginServer(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Every method may wait, so all are called within `bridge.run`."""

    def __init__(self, issuer: str, logins: LoginStore, clients: Directory) -> None:
        super().__init__()
        self.issuer, self.logins, self._clients = issuer, logins, clients
        self.register_grant(CodeGrant, [Challenge(required=True), IdTokens()])
        self.register_token_generator("default", BearerTokenGenerator(_token, None, TOKEN_S))
        audiences = [issuer, issuer + TOKEN, issuer + PAR]
        self.register_client_auth_method(METHOD, KeyAssertion(logins, audiences))
        self.register_endpoint(Revocation)
        self.register_endpoint(EndSession)
        self._issuer_parameter = _Issuer(issuer)
        self.register_extension(self._issuer_parameter)

    def query_client(self, client_id: str) -> Client | None:
        """Find a client."""
        return wait_for(self._clients.find(client_id))

    def save_token(self, token: Mapping[str, Any], request: LoginRequest) -> None:
        """Do nothing: an access token is remembered with its ID token (`IdTokens`)."""

    def send_signal(self, name: str, *args: object, **values: object) -> None:
        """Do nothing: nobody listens."""

    def create_oauth2_request(self, request: LoginRequest) -> LoginRequest:
        """Return what `read_request` made, with what the grants need."""
        request.issuer, request.logins = self.issuer, self.logins
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Return an answer."""
        named = dict(headers)
        return Answer(status, body, named, named.pop("Location", None))

    def with_issuer(self, answer: Answer) -> Answer:
        """Add `iss` to an answer that Authlib gave before there was a grant."""
        self._issuer_parameter.add_issuer_parameter(self, answer)
        return answer

    def authenticate(self, request: LoginRequest, endpoint: str) -> Client:
        """Authenticate a client by the one way that it uses (RFC 6749 §2.3).

        Raises:
            InvalidClientError: it cannot.
        """
        client: Client = self.authenticate_client(request, AUTH_METHODS, endpoint)
        return client

    def authenticate_client(
        self, request: LoginRequest, methods: list[str], endpoint: str = "token"
    ) -> Any:
        """See Authlib's; more than one way at once, or another client's id, is refused."""
        form = request.form
        ways = ("Authorization" in request.headers, "client_secret" in form)
        if sum((*ways, "client_assertion" in form)) > 1:
            raise InvalidClientError(description="The client authenticates in two ways.")
        client = super().authenticate_client(request, methods, endpoint)
        if form.get("client_id", client.client_id) != client.client_id:
            raise InvalidClientError(description="The client_id is another client's.")
        return client


def _token(**_about: object) -> str:
    """Return an access token: 43 characters of base64url."""
    return secrets.token_urlsafe(32)
