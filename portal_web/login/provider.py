"""The provider: each endpoint as a function from a request to an answer."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from authlib.oauth2.rfc6749 import (
    InvalidRequestError,
    OAuth2Error,
    ResourceProtector,
)
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc9101.errors import (
    InvalidRequestUriError,
    RequestNotSupportedError,
)
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grpc_api.clients.offers import OfferStatus
from portal_web.login import bridge
from portal_web.login.clients import Client
from portal_web.login.ending import Token, find_token
from portal_web.login.errand import Errand
from portal_web.login.errands import Errands
from portal_web.login.parameters import LoginRequest, read_request
from portal_web.login.ports import LoginStore
from portal_web.login.server import AUTHORIZE, Answer, LoginServer
from signer_core.errors import InvalidRequestError as MalformedError
from signer_core.errors import NotFoundError

_REFERENCE: Final = "urn:ietf:params:oauth:request_uri:"
_WAITING: Final = (OfferStatus.OPEN, OfferStatus.SHOWN)


class _Bearer(BearerTokenValidator):  # type: ignore[misc]  # Authlib has no types
    """Access tokens of the signer."""

    def __init__(self, logins: LoginStore, realm: str) -> None:
        super().__init__(realm)
        self._logins = logins

    def authenticate_token(self, token_string: str) -> Token | None:
        """Find a token."""
        return find_token(self._logins, token_string)


class Provider:
    """Every endpoint of the provider; the routes only name them."""

    def __init__(self, server: LoginServer, errands: Errands, issuer: str) -> None:
        self._server, self._errands, self._issuer = server, errands, issuer
        self._protector = ResourceProtector()
        self._protector.register_token_validator(_Bearer(server.logins, issuer))

    async def par(self, request: Request) -> Response:
        """Check an authorization request of an authenticated client and keep it (RFC 9126)."""

        def work(asked: LoginRequest) -> Answer:
            client = self._server.authenticate(asked, "par")
            if "request_uri" in asked.form:
                raise InvalidRequestError("A pushed request has no request_uri.")
            asked.payload.data["client_id"] = client.client_id
            self._consent(asked)
            kept = _pushed(asked)
            reference, ttl_s = bridge.wait_for(self._server.logins.push(client.client_id, kept))
            answer = {"request_uri": _REFERENCE + reference, "expires_in": ttl_s}
            return Answer(201, answer, {})

        return await self._answer(request, work)

    async def token(self, request: Request) -> Response:
        """Change a code into tokens."""
        return await self._answer(request, self._server.create_token_response)

    async def revoke(self, request: Request) -> Response:
        """End the login of a token."""

        def work(asked: LoginRequest) -> Answer:
            answer: Answer = self._server.create_endpoint_response("revocation", asked)
            return answer

        return await self._answer(request, work)

    async def userinfo(self, request: Request) -> Response:
        """Say what the person agreed to tell."""
        headers = {"Authorization": request.headers.get("authorization", "")}
        asked = LoginRequest(request.method, self._issuer + request.url.path, {}, headers)

        def work() -> Answer:
            try:
                token: Token = self._protector.validate_request(["openid"], asked)
            except OAuth2Error as error:
                return self._said(error)
            return Answer(200, json.loads(token.login.claims), {})

        return (await bridge.run(work)).response()

    async def authorize(self, request: Request) -> Response:
        """Check an authorization request and send the browser to where it waits for the phone.

        Raises:
            InvalidRequestError: nobody knows where else to send it.
        """

        def work(asked: LoginRequest) -> tuple[LoginRequest, Answer | None]:
            try:
                asked = self._pushed_or(asked)
                self._consent(asked)
            except OAuth2Error as error:
                error.state = asked.payload.state
                return asked, self._to_partner(error)
            return asked, None

        try:
            read = await read_request(request, self._issuer)
        except OAuth2Error as error:
            raise refusal(error) from None
        asked, answer = await bridge.run(lambda: work(read))
        if answer is not None:
            return answer.response()
        client: Client = asked.client
        names = {"uk": client.partner.name_uk, "en": client.partner.name_en}
        kept = Errand.kept(asked)
        locales = asked.payload.data.get("ui_locales")
        return await self._errands.begin(
            request, kept | ({"ui_locales": locales} if locales else {}), names
        )

    async def go_on(self, request: Request, flow: str) -> Response:
        """Take a browser back to the partner, with a code if the person approved.

        Raises:
            NotFoundError: this browser has no such login.
        """
        errand = self._errands.errand(request, flow)
        text = errand.statement(self._issuer).text
        challenge = errand.parameters["code_challenge"]
        try:
            code = await self._server.logins.issue_code(errand.claim, text, challenge)
        except (MalformedError, NotFoundError):
            offer = await self._errands.offers.get(errand.offer_id)
            if offer.state.status in _WAITING:
                return RedirectResponse(f"/sign-in/{flow}", 303)
            return await self._back(flow, errand, "")
        return await self._back(flow, errand, code)

    async def cancel(self, request: Request, flow: str) -> Response:
        """Take a browser back to the partner whose person gave up."""
        errand = self._errands.errand(request, flow)
        with suppress(MalformedError, NotFoundError):  # it is over
            await self._errands.offers.withdraw(errand.offer_id)
        return await self._back(flow, errand, "")

    async def logout(self, request: Request) -> Answer | None:
        """End a login; None where the browser is to stay here.

        Raises:
            InvalidRequestError: the request is malformed.
        """

        def work(asked: LoginRequest) -> Answer | None:
            ended = self._server.validate_endpoint_request("end_session", asked)
            answer: Answer | None = self._server.create_endpoint_response("end_session", ended)
            return answer

        try:
            asked = await read_request(request, self._issuer)
            return await bridge.run(lambda: _guarded(lambda: work(asked)))
        except OAuth2Error as error:
            raise refusal(error) from None

    async def _back(self, flow: str, errand: Errand, code: str) -> Response:
        """Answer the authorization request; without a code, access was denied."""
        values = dict(errand.parameters)
        asked = LoginRequest("GET", self._issuer + AUTHORIZE, values)
        asked.login_code = code
        person = errand if code else None

        def work() -> Answer:
            grant = self._consent(asked)
            answer: Answer = self._server.create_authorization_response(asked, person, grant)
            return answer

        try:
            answer = (await bridge.run(work)).response()
        except OAuth2Error as error:  # the partner was suspended meanwhile
            raise refusal(error) from None
        self._errands.end(answer, flow)
        return answer

    def _pushed_or(self, asked: LoginRequest) -> LoginRequest:
        """Return the pushed request that this one names, or this one.

        Raises:
            InvalidRequestUriError: it names none of this client's that is still there.
        """
        data = asked.payload.data
        if "request" in data:
            raise RequestNotSupportedError()
        if "request_uri" not in data:
            return asked
        reference = data["request_uri"].removeprefix(_REFERENCE)
        try:
            values = bridge.wait_for(self._server.logins.take(data.get("client_id", ""), reference))
        except (NotFoundError, MalformedError):
            raise InvalidRequestUriError() from None
        return LoginRequest("GET", self._issuer + AUTHORIZE, values)

    def _consent(self, asked: LoginRequest) -> Any:
        """Let Authlib check an authorization request, and check what it leaves to us."""

        def work() -> Any:
            grant = self._server.get_consent_grant(asked)
            try:
                _check_more(asked)
            except OAuth2Error as error:
                error.redirect_uri, error.state = grant.redirect_uri, asked.payload.state
                raise
            return grant

        return _guarded(work)

    async def _answer(self, request: Request, work: Callable[[LoginRequest], Answer]) -> Response:
        """Answer a client; errors as RFC 6749 §5.2 says."""

        def guarded(asked: LoginRequest) -> Answer:
            try:
                answer: Answer = _guarded(lambda: work(asked))
            except OAuth2Error as error:
                return self._said(error)
            return answer

        try:
            asked = await read_request(request, self._issuer)
        except OAuth2Error as error:
            return self._said(error).response()
        return (await bridge.run(lambda: guarded(asked))).response()

    def _said(self, error: OAuth2Error) -> Answer:
        """Return an error to a program: nobody is sent anywhere."""
        error.redirect_uri = None
        answer: Answer = self._server.handle_response(*error())
        return answer

    def _to_partner(self, error: OAuth2Error) -> Answer:
        """Return an error through the browser, to an address that was found to be the client's.

        Raises:
            InvalidRequestError: there is none.
        """
        if not error.redirect_uri:
            raise refusal(error)
        answer: Answer = self._server.handle_response(*error())
        return self._server.with_issuer(answer)


def refusal(error: OAuth2Error) -> MalformedError:
    """Return what the person is told where nobody knows to whom else to answer."""
    return MalformedError(error.get_error_description() or error.error)


def _guarded(work: Callable[[], Any]) -> Any:
    """Run Authlib; its errors refuse some characters in what they repeat, with a ValueError."""
    try:
        return work()
    except ValueError:
        raise InvalidRequestError("The request is malformed.") from None


def _check_more(asked: LoginRequest) -> None:
    """Check parameters of OpenID Connect that Authlib does not.

    Raises:
        InvalidRequestError: one is malformed, or asks for what we do not do.
    """
    data = asked.payload.data
    if data.get("response_mode", "query") != "query":
        raise InvalidRequestError("The response_mode is query.")
    max_age = data.get("max_age", "0")  # everybody signs anew, so that any age will do
    if not (max_age.isdecimal() and len(max_age) < 10):
        raise InvalidRequestError("The max_age is a number of seconds.")


def _pushed(asked: LoginRequest) -> dict[str, str]:
    """Return what is kept of a pushed request: no secret of the client."""
    secret = ("client_secret", "client_assertion", "client_assertion_type")
    return {name: value for name, value in asked.form.items() if name not in secret}
