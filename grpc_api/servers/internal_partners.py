"""PartnersService: who the partners are, for the portal; and partners of the sandbox."""

from dataclasses import dataclass
from typing import Final

import grpc
from typing_extensions import override

from grpc_api.gen.signer.internal.v1 import partners_pb2 as wire
from grpc_api.gen.signer.internal.v1 import partners_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.servers.partner_limits import WrongSecrets
from grpc_api.servers.source_limits import network_of
from signer_core.errors import DeniedError
from signer_core.partners.developers import Developers, NewPartner
from signer_core.partners.directory import PartnerDirectory
from signer_core.partners.secrets import Secrets

SERVICE: Final = "signer.internal.v1.PartnersService"


@dataclass(frozen=True, slots=True)
class PartnersServicer(services.PartnersServiceServicer):
    """Converts; the core checks."""

    directory: PartnerDirectory
    secrets: Secrets
    developers: Developers
    wrong: WrongSecrets

    @override
    async def GetPartner(
        self, request: wire.GetPartnerRequest, context: Context
    ) -> wire.GetPartnerResponse:
        """Get a partner that is not suspended."""
        record, row = await self.directory.look(request.partner_id)
        party = record.party
        partner = wire.Partner(
            partner_id=party.id,
            record=record.jws,
            name_uk=party.name_uk,
            name_en=party.name_en,
            return_addresses=party.return_addresses,
            scopes=party.scopes,
            callback_address=party.callback_address,
            keys=[key.model_dump_json() for key in party.keys],
            has_secret=row.secret_sha256 is not None,
        )
        return wire.GetPartnerResponse(partner=partner)

    @override
    async def CheckSecret(
        self, request: wire.CheckSecretRequest, context: Context
    ) -> wire.CheckSecretResponse:
        """Check a secret; wrong ones are counted, right ones never wait for them."""
        try:
            await self.secrets.verify(request.partner_id, request.secret)
        except DeniedError:
            self.wrong.count(request.partner_id)
            raise
        return wire.CheckSecretResponse()

    @override
    async def CreateSandboxPartner(
        self, request: wire.CreateSandboxPartnerRequest, context: Context
    ) -> wire.CreateSandboxPartnerResponse:
        """Make a partner of the sandbox."""
        new = NewPartner(
            name=request.name,
            return_addresses=tuple(request.return_addresses),
            callback_address=request.callback_address,
            public_jwk=request.public_jwk,
            source=network_of(request.source),
        )
        made = await self.developers.create(new)
        return wire.CreateSandboxPartnerResponse(
            partner_id=made.partner_id,
            secret=made.secret,
            example_id_token=made.example_id_token,
        )


def add_partners(server: grpc.aio.Server, servicer: PartnersServicer) -> tuple[str, ...]:
    """Register the service; return its full name."""
    services.add_PartnersServiceServicer_to_server(servicer, server)
    return (SERVICE,)
