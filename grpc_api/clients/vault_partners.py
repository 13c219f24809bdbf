"""The vault's registry of partners as the signer sees it."""

from collections.abc import Sequence

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.vault.v1 import vault_partners_pb2 as pb
from grpc_api.gen.signer.vault.v1 import vault_partners_pb2_grpc
from signer_core.errors import NotFoundError
from signer_core.partners.ports import VaultPartner


class VaultPartnersClient:
    """Port `VaultPartners` over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = vault_partners_pb2_grpc.VaultPartnersServiceStub(channel)

    async def find(self, partner_id: str) -> VaultPartner | None:
        """See `VaultPartners.find`."""
        message = pb.FindPartnerRequest(partner_id=partner_id)
        try:
            return from_wire((await call(self._stub.FindPartner, message)).partner)
        except NotFoundError:
            return None

    async def page(self, after: str, limit: int) -> Sequence[VaultPartner]:
        """See `VaultPartners.page`."""
        message = pb.PagePartnersRequest(after=after, limit=limit)
        return [from_wire(one) for one in (await call(self._stub.PagePartners, message)).partners]

    async def sign_sandbox(self, description: str) -> VaultPartner:
        """See `VaultPartners.sign_sandbox`."""
        message = pb.SignSandboxPartnerRequest(description=description)
        return from_wire((await call(self._stub.SignSandboxPartner, message)).partner)


def from_wire(partner: pb.VaultPartner) -> VaultPartner:
    """Return the value."""
    return VaultPartner(
        partner_id=partner.partner_id,
        record=partner.record,
        active=partner.active,
        changed_at_s=partner.changed_at_s,
        sandbox=partner.sandbox,
        altered=partner.altered,
    )
