"""VaultSealService: seals of organisations, for the signer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.vault.v1 import vault_seals_pb2 as wire
from grpc_api.gen.signer.vault.v1 import vault_seals_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.errors import InvalidRequestError
from signer_core.seals.ports import MAX_CALLERS, VaultSeals

SERVICE: Final = "signer.vault.v1.VaultSealService"
_CALLER_CHARACTERS: Final = 253  # of a DNS name


@dataclass(frozen=True, slots=True)
class VaultSealServicer(services.VaultSealServiceServicer):
    """Converts; the port checks."""

    seals: VaultSeals

    @override
    async def GetSeal(self, request: wire.GetSealRequest, context: Context) -> wire.GetSealResponse:
        """Return the certificate of a seal."""
        found = await self.seals.get(request.seal_id, _callers(request.callers))
        return wire.GetSealResponse(chain=found.chain)

    @override
    async def SignAttributes(
        self, request: wire.SignAttributesRequest, context: Context
    ) -> wire.SignAttributesResponse:
        """Sign attributes with a seal's key."""
        callers = _callers(request.callers)
        signatures = await self.seals.sign(request.seal_id, callers, request.attributes)
        return wire.SignAttributesResponse(signatures=signatures)


def _callers(names: Sequence[str]) -> frozenset[str]:
    if not 1 <= len(names) <= MAX_CALLERS or max(map(len, names)) > _CALLER_CHARACTERS:
        raise InvalidRequestError("who asks for a seal has 1 to 16 DNS names")
    return frozenset(names)


def add_vault_seals(server: grpc.aio.Server, seals: VaultSeals) -> tuple[str, ...]:
    """Register the service; return its full name."""
    services.add_VaultSealServiceServicer_to_server(VaultSealServicer(seals), server)
    return (SERVICE,)
