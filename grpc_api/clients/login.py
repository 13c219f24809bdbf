"""The signer's logins as the portal sees them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import grpc

from grpc_api.clients.calls import call
from grpc_api.clients.vault_login import role_of
from grpc_api.gen.signer.internal.v1 import login_pb2 as pb
from grpc_api.gen.signer.internal.v1 import login_pb2_grpc
from signer_core.login.logins import OfferClaim
from signer_core.login.model import Login
from signer_core.login.ports import LoginKey


class LoginClient:
    """What `signer_core.login.logins.Logins` does, over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = login_pb2_grpc.LoginServiceStub(channel)

    async def push(self, client_id: str, parameters: Mapping[str, str]) -> tuple[str, int]:
        """Keep parameters; return the reference and the seconds it is good for."""
        message = pb.PushRequestRequest(client_id=client_id, parameters=json.dumps(parameters))
        answer = await call(self._stub.PushRequest, message)
        return answer.reference, answer.ttl_s

    async def take(self, client_id: str, reference: str) -> dict[str, str]:
        """Take pushed parameters, once.

        Raises:
            NotFoundError: there are none, they are another client's, taken or expired.
        """
        message = pb.TakeRequestRequest(client_id=client_id, reference=reference)
        parameters: dict[str, str] = json.loads(
            (await call(self._stub.TakeRequest, message)).parameters
        )
        return parameters

    async def use_assertion(self, client_id: str, jti: str, expires_at_s: int) -> None:
        """Use up a client assertion.

        Raises:
            DeniedError: it was used before.
        """
        message = pb.UseAssertionRequest(client_id=client_id, jti=jti, expires_at_s=expires_at_s)
        await call(self._stub.UseAssertion, message)

    async def issue_code(self, offer: OfferClaim, statement: str, code_challenge: str) -> str:
        """Make a code of an approved offer.

        Raises:
            DeniedError: it is not approved, was collected before, or something else was signed.
        """
        message = pb.IssueCodeRequest(
            offer_id=offer.offer_id,
            collector=offer.collector,
            return_code=offer.return_code,
            statement=statement,
            code_challenge=code_challenge,
        )
        return (await call(self._stub.IssueCode, message)).code

    async def redeem(self, client_id: str, code: str) -> Login:
        """Use up a code; the claims of the login stay with the signer.

        Raises:
            NotFoundError: it is not good.
        """
        message = pb.RedeemCodeRequest(client_id=client_id, code=code)
        found = await call(self._stub.RedeemCode, message)
        return Login(
            login_id=found.login_id,
            client_id=client_id,
            redirect_uri=found.redirect_uri,
            scope=found.scope,
            nonce=found.nonce,
            code_challenge=found.code_challenge,
            auth_time_s=found.auth_time_s,
            claims="{}",
            signature="{}",
        )

    async def issue_tokens(
        self, login_id: bytes, client_id: str, token_hash: bytes, claims: Mapping[str, Any]
    ) -> str:
        """Remember an access token and return the ID token.

        Raises:
            NotFoundError: the login has a token, or its code was used twice.
        """
        message = pb.IssueTokensRequest(
            login_id=login_id,
            client_id=client_id,
            token_hash=token_hash,
            claims=json.dumps(claims),
        )
        return (await call(self._stub.IssueTokens, message)).id_token

    async def find_token(self, token_hash: bytes) -> Login:
        """Return what an access token is good for.

        Raises:
            NotFoundError: nothing.
        """
        found = await call(self._stub.FindToken, pb.FindTokenRequest(token_hash=token_hash))
        return Login(
            login_id=b"",
            client_id=found.client_id,
            redirect_uri="",
            scope=found.scope,
            nonce="",
            code_challenge="",
            auth_time_s=0,
            claims=found.claims,
            signature="{}",
            token_expires_at_s=found.expires_at_s,
        )

    async def end(
        self, client_id: str, *, token_hash: bytes | None = None, login_id: bytes | None = None
    ) -> None:
        """End a login; harmless where there is none."""
        message = pb.EndLoginRequest(client_id=client_id, token_hash=token_hash or b"")
        if login_id is not None:
            message = pb.EndLoginRequest(client_id=client_id, login_id=login_id)
        await call(self._stub.EndLogin, message)

    async def keys(self) -> Sequence[LoginKey]:
        """Return the keys that ID tokens are signed with."""
        answer = await call(self._stub.ListKeys, pb.ListKeysRequest())
        return [LoginKey(one.kid, role_of(one.role), one.public_key) for one in answer.keys]
