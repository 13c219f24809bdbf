"""VaultPartnersService: the registry of partners, for the signer."""

from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.vault.v1 import vault_partners_pb2 as wire
from grpc_api.gen.signer.vault.v1 import vault_partners_pb2_grpc as services
from grpc_api.interceptors.around import Context
from signer_core.errors import NotFoundError
from signer_core.partners.ports import VaultPartner, VaultPartners

SERVICE: Final = "signer.vault.v1.VaultPartnersService"


@dataclass(frozen=True, slots=True)
class VaultPartnersServicer(services.VaultPartnersServiceServicer):
    """Converts; the port checks."""

    partners: VaultPartners

    @override
    async def FindPartner(
        self, request: wire.FindPartnerRequest, context: Context
    ) -> wire.FindPartnerResponse:
        """Find a partner."""
        found = await self.partners.find(request.partner_id)
        if found is None:
            raise NotFoundError("there is no such partner")
        return wire.FindPartnerResponse(partner=to_wire(found))

    @override
    async def PagePartners(
        self, request: wire.PagePartnersRequest, context: Context
    ) -> wire.PagePartnersResponse:
        """Return a page of partners."""
        found = await self.partners.page(request.after, request.limit)
        return wire.PagePartnersResponse(partners=map(to_wire, found))

    @override
    async def SignSandboxPartner(
        self, request: wire.SignSandboxPartnerRequest, context: Context
    ) -> wire.SignSandboxPartnerResponse:
        """Sign the record of a developer's own partner."""
        made = await self.partners.sign_sandbox(request.description)
        return wire.SignSandboxPartnerResponse(partner=to_wire(made))


def to_wire(partner: VaultPartner) -> wire.VaultPartner:
    """Return the message."""
    return wire.VaultPartner(
        partner_id=partner.partner_id,
        record=partner.record,
        active=partner.active,
        changed_at_s=partner.changed_at_s,
        sandbox=partner.sandbox,
        altered=partner.altered,
    )


def add_vault_partners(server: grpc.aio.Server, partners: VaultPartners) -> tuple[str, ...]:
    """Register the service; return its full name."""
    services.add_VaultPartnersServiceServicer_to_server(VaultPartnersServicer(partners), server)
    return (SERVICE,)
