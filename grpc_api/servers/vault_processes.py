"""VaultProcessesService: certificates of processes, for those who hold them."""

from dataclasses import dataclass
from typing import Final, Protocol

import grpc
from cryptography import x509
from typing_extensions import override

from grpc_api.gen.signer.vault.v1 import vault_processes_pb2 as wire
from grpc_api.gen.signer.vault.v1 import vault_processes_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.interceptors.peer import peer_certificate
from signer_core.ports import CertificateChain

SERVICE: Final = "signer.vault.v1.VaultProcessesService"


class ProcessesPort(Protocol):
    """What renews a certificate that was shown in mutual TLS."""

    async def renew(self, shown: x509.Certificate, csr: bytes) -> CertificateChain:
        """See `hsm_module.processes.Processes.renew`."""
        ...


@dataclass(frozen=True, slots=True)
class VaultProcessesServicer(services.VaultProcessesServiceServicer):
    """Converts; the port checks."""

    processes: ProcessesPort

    @override
    async def RenewProcessCertificate(
        self, request: wire.RenewProcessCertificateRequest, context: Context
    ) -> wire.RenewProcessCertificateResponse:
        """Certify the caller anew."""
        issued = await self.processes.renew(peer_certificate(context), request.csr)
        return wire.RenewProcessCertificateResponse(
            certificate=issued.certificate, chain=issued.chain
        )


def add_vault_processes(server: grpc.aio.Server, processes: ProcessesPort) -> tuple[str, ...]:
    """Register the service; return its full name."""
    services.add_VaultProcessesServiceServicer_to_server(VaultProcessesServicer(processes), server)
    return (SERVICE,)
