"""The vault's seals as the signer sees them."""

from collections.abc import Collection, Sequence

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.vault.v1 import vault_seals_pb2 as pb
from grpc_api.gen.signer.vault.v1 import vault_seals_pb2_grpc
from signer_core.seals.ports import SealCertificate


class VaultSealsClient:
    """Port `VaultSeals` over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = vault_seals_pb2_grpc.VaultSealServiceStub(channel)

    async def get(self, seal_id: str, callers: Collection[str]) -> SealCertificate:
        """See `VaultSeals.get`."""
        message = pb.GetSealRequest(seal_id=seal_id, callers=sorted(callers))
        answer = await call(self._stub.GetSeal, message)
        return SealCertificate(tuple(answer.chain))

    async def sign(
        self, seal_id: str, callers: Collection[str], attributes: Sequence[bytes]
    ) -> tuple[bytes, ...]:
        """See `VaultSeals.sign`."""
        message = pb.SignAttributesRequest(
            seal_id=seal_id, callers=sorted(callers), attributes=attributes
        )
        return tuple((await call(self._stub.SignAttributes, message)).signatures)
