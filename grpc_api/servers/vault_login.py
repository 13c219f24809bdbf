"""VaultLoginService: ID tokens and pairwise names, for the signer."""

from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.vault.v1 import vault_login_pb2 as wire
from grpc_api.gen.signer.vault.v1 import vault_login_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.login.ports import VaultLogin

SERVICE: Final = "signer.vault.v1.VaultLoginService"


@dataclass(frozen=True, slots=True)
class VaultLoginServicer(services.VaultLoginServiceServicer):
    """Converts; the port checks."""

    login: VaultLogin

    @override
    async def ListLoginKeys(
        self, request: wire.ListLoginKeysRequest, context: Context
    ) -> wire.ListLoginKeysResponse:
        """List the published keys."""
        found = await self.login.keys()
        return wire.ListLoginKeysResponse(
            keys=[
                wire.LoginKey(kid=one.kid, role=one.role.value, public_key=one.public_key)
                for one in found
            ]
        )

    @override
    async def SignIdToken(
        self, request: wire.SignIdTokenRequest, context: Context
    ) -> wire.SignIdTokenResponse:
        """Sign an ID token."""
        return wire.SignIdTokenResponse(token=await self.login.sign_id_token(request.payload))

    @override
    async def GetPairwiseSubject(
        self, request: wire.GetPairwiseSubjectRequest, context: Context
    ) -> wire.GetPairwiseSubjectResponse:
        """Get a person's name towards a sector."""
        subject = await self.login.pairwise_subject(request.sector, request.person_code)
        return wire.GetPairwiseSubjectResponse(subject=subject)


def add_vault_login(server: grpc.aio.Server, login: VaultLogin) -> tuple[str, ...]:
    """Register the service; return its full name."""
    services.add_VaultLoginServiceServicer_to_server(VaultLoginServicer(login), server)
    return (SERVICE,)
