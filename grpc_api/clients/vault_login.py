"""The vault's login keys as the signer sees them."""

from collections.abc import Sequence

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.vault.v1 import vault_login_pb2 as pb
from grpc_api.gen.signer.vault.v1 import vault_login_pb2_grpc
from signer_core.errors import UnavailableError
from signer_core.login.ports import KeyRole, LoginKey


class VaultLoginClient:
    """Port `VaultLogin` over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = vault_login_pb2_grpc.VaultLoginServiceStub(channel)

    async def keys(self) -> Sequence[LoginKey]:
        """See `VaultLogin.keys`."""
        answer = await call(self._stub.ListLoginKeys, pb.ListLoginKeysRequest())
        return [LoginKey(one.kid, role_of(one.role), one.public_key) for one in answer.keys]

    async def sign_id_token(self, payload: bytes) -> str:
        """See `VaultLogin.sign_id_token`."""
        return (await call(self._stub.SignIdToken, pb.SignIdTokenRequest(payload=payload))).token

    async def pairwise_subject(self, sector: str, person_code: str) -> bytes:
        """See `VaultLogin.pairwise_subject`."""
        message = pb.GetPairwiseSubjectRequest(sector=sector, person_code=person_code)
        return (await call(self._stub.GetPairwiseSubject, message)).subject


def role_of(word: str) -> KeyRole:
    """Return the role that a word on the wire names.

    Raises:
        UnavailableError: it names none that we know.
    """
    try:
        return KeyRole(word)
    except ValueError:
        raise UnavailableError("the other side speaks a newer version") from None
