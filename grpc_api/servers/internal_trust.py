"""TrustService: certificates, CRLs, OCSP answers and timestamps, for the portal."""

from typing import Any, ClassVar, Final

import grpc

from grpc_api.gen.signer.internal.v1 import trust_pb2 as messages
from grpc_api.gen.signer.internal.v1 import trust_pb2_grpc as services
from grpc_api.servers.trust_answers import TrustAnswers
from signer_core.trust.ports import TrustServices

SERVICE: Final = "signer.internal.v1.TrustService"


class TrustServicer(TrustAnswers, services.TrustServiceServicer):
    """The signer's."""

    wire: ClassVar[Any] = messages


def add_trust(server: grpc.aio.Server, trust: TrustServices) -> tuple[str, ...]:
    """Register the service; return its full name."""
    services.add_TrustServiceServicer_to_server(TrustServicer(trust), server)
    return (SERVICE,)
