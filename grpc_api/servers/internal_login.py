"""LoginService: what a login needs to remember, for the portal."""

from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.internal.v1 import login_pb2 as wire
from grpc_api.gen.signer.internal.v1 import login_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.errors import InvalidRequestError
from signer_core.login.logins import Logins, OfferClaim
from signer_core.login.model import PUSHED_S

SERVICE: Final = "signer.internal.v1.LoginService"


@dataclass(frozen=True, slots=True)
class LoginServicer(services.LoginServiceServicer):
    """Converts and checks sizes; `Logins` decides."""

    logins: Logins

    @override
    async def PushRequest(
        self, request: wire.PushRequestRequest, context: Context
    ) -> wire.PushRequestResponse:
        """Keep an authorization request."""
        reference = await self.logins.push(_client(request.client_id), request.parameters)
        return wire.PushRequestResponse(reference=reference, ttl_s=PUSHED_S)

    @override
    async def TakeRequest(
        self, request: wire.TakeRequestRequest, context: Context
    ) -> wire.TakeRequestResponse:
        """Take it, once."""
        found = await self.logins.take(_client(request.client_id), request.reference)
        return wire.TakeRequestResponse(parameters=found)

    @override
    async def UseAssertion(
        self, request: wire.UseAssertionRequest, context: Context
    ) -> wire.UseAssertionResponse:
        """Use up a client assertion."""
        client_id = _client(request.client_id)
        await self.logins.use_assertion(client_id, request.jti, request.expires_at_s)
        return wire.UseAssertionResponse()

    @override
    async def IssueCode(
        self, request: wire.IssueCodeRequest, context: Context
    ) -> wire.IssueCodeResponse:
        """Make a code of an approved offer."""
        sized(request.offer_id, 16)
        sized(request.collector, 32)
        offer = OfferClaim(request.offer_id, request.collector, request.return_code)
        code = await self.logins.issue_code(offer, request.statement, request.code_challenge)
        return wire.IssueCodeResponse(code=code)

    @override
    async def RedeemCode(
        self, request: wire.RedeemCodeRequest, context: Context
    ) -> wire.RedeemCodeResponse:
        """Use up a code."""
        found = await self.logins.redeem(_client(request.client_id), request.code)
        return wire.RedeemCodeResponse(
            login_id=found.login_id,
            redirect_uri=found.redirect_uri,
            scope=found.scope,
            nonce=found.nonce,
            code_challenge=found.code_challenge,
            auth_time_s=found.auth_time_s,
        )

    @override
    async def IssueTokens(
        self, request: wire.IssueTokensRequest, context: Context
    ) -> wire.IssueTokensResponse:
        """Sign an ID token."""
        sized(request.login_id, 16)
        token = await self.logins.issue_tokens(
            request.login_id, _client(request.client_id), request.token_hash, request.claims
        )
        return wire.IssueTokensResponse(id_token=token)

    @override
    async def FindToken(
        self, request: wire.FindTokenRequest, context: Context
    ) -> wire.FindTokenResponse:
        """Say what an access token is good for."""
        found = await self.logins.find_token(request.token_hash)
        return wire.FindTokenResponse(
            client_id=found.client_id,
            scope=found.scope,
            claims=found.claims,
            expires_at_s=found.token_expires_at_s or 0,
        )

    @override
    async def EndLogin(
        self, request: wire.EndLoginRequest, context: Context
    ) -> wire.EndLoginResponse:
        """End a login."""
        client_id = _client(request.client_id)
        match request.WhichOneof("which"):
            case "token_hash":
                await self.logins.end(client_id, token_hash=request.token_hash)
            case "login_id":
                await self.logins.end(client_id, login_id=request.login_id)
            case _:
                raise InvalidRequestError("say which login ends: by its token, or by its id")
        return wire.EndLoginResponse()

    @override
    async def ListKeys(
        self, request: wire.ListKeysRequest, context: Context
    ) -> wire.ListKeysResponse:
        """List the keys that ID tokens are signed with."""
        return wire.ListKeysResponse(
            keys=[
                wire.LoginServiceKey(kid=one.kid, role=one.role.value, public_key=one.public_key)
                for one in await self.logins.keys()
            ]
        )


def sized(value: bytes, size: int) -> None:
    """Check the size of an identifier.

    Raises:
        InvalidRequestError: it has another.
    """
    if len(value) != size:
        raise InvalidRequestError(f"an identifier has {size} bytes")


def _client(client_id: str) -> str:
    if not (1 <= len(client_id) <= 64 and client_id.isascii() and client_id.isprintable()):
        raise InvalidRequestError("a client id has 1 to 64 characters of ASCII")
    return client_id


def add_login(server: grpc.aio.Server, logins: Logins) -> tuple[str, ...]:
    """Register the service; return its full name."""
    services.add_LoginServiceServicer_to_server(LoginServicer(logins), server)
    return (SERVICE,)
