"""VaultTrustService: certificates, CRLs, OCSP answers and timestamps, for the signer."""

from typing import Any, ClassVar, Final

import grpc

from grpc_api.gen.signer.vault.v1 import vault_trust_pb2 as messages
from grpc_api.gen.signer.vault.v1 import vault_trust_pb2_grpc as services
from grpc_api.servers.trust_answers import TrustAnswers
from signer_core.trust.ports import TrustServices

SERVICE: Final = "signer.vault.v1.VaultTrustService"


class VaultTrustServicer(TrustAnswers, services.VaultTrustServiceServicer):
    """The vault's."""

    wire: ClassVar[Any] = messages


def add_vault_trust(server: grpc.aio.Server, trust: TrustServices) -> tuple[str, ...]:
    """Register the service; return its full name."""
    services.add_VaultTrustServiceServicer_to_server(VaultTrustServicer(trust), server)
    return (SERVICE,)
