"""The signer's partners as the portal sees them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import grpc

from grpc_api.clients.calls import call
from grpc_api.gen.signer.internal.v1 import partners_pb2 as pb
from grpc_api.gen.signer.internal.v1 import partners_pb2_grpc


@dataclass(frozen=True, slots=True)
class Partner:
    """What the registry signed, taken apart."""

    partner_id: str
    record: str = field(repr=False)  # compact JWS
    name_uk: str
    name_en: str
    return_addresses: tuple[str, ...]
    scopes: tuple[str, ...]
    callback_address: str  # or empty
    keys: tuple[str, ...]  # public JWKs, JSON
    has_secret: bool


@dataclass(frozen=True, slots=True)
class NewSandboxPartner:
    """What a developer asks for."""

    name: str
    return_addresses: Sequence[str]
    callback_address: str = ""
    public_jwk: str = ""  # JSON; empty: a secret is made
    source: str = ""  # IP address of the developer's browser


@dataclass(frozen=True, slots=True)
class MadePartner:
    """What the developer is told, once."""

    partner_id: str
    secret: str = field(repr=False)  # empty where a key was given
    example_id_token: str = field(default="", repr=False)  # empty where there is none


class PartnersClient:
    """PartnersService over gRPC."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = partners_pb2_grpc.PartnersServiceStub(channel)

    async def get(self, partner_id: str) -> Partner:
        """Return a partner.

        Raises:
            NotFoundError: there never was one of this id.
            DeniedError: it is suspended.
        """
        message = pb.GetPartnerRequest(partner_id=partner_id)
        found = (await call(self._stub.GetPartner, message)).partner
        return Partner(
            partner_id=found.partner_id,
            record=found.record,
            name_uk=found.name_uk,
            name_en=found.name_en,
            return_addresses=tuple(found.return_addresses),
            scopes=tuple(found.scopes),
            callback_address=found.callback_address,
            keys=tuple(found.keys),
            has_secret=found.has_secret,
        )

    async def check_secret(self, partner_id: str, secret: str) -> None:
        """Check a partner's secret.

        Raises:
            DeniedError: it is not that.
            UnavailableError: there were too many wrong ones.
        """
        await call(
            self._stub.CheckSecret, pb.CheckSecretRequest(partner_id=partner_id, secret=secret)
        )

    async def create_sandbox(self, new: NewSandboxPartner) -> MadePartner:
        """Make a partner of the sandbox.

        Raises:
            DeniedError: there is no sandbox.
            InvalidRequestError: something is not allowed; the text says what to do.
            UnavailableError: too many were made.
        """
        message = pb.CreateSandboxPartnerRequest(
            name=new.name,
            return_addresses=new.return_addresses,
            callback_address=new.callback_address,
            public_jwk=new.public_jwk,
            source=new.source,
        )
        made = await call(self._stub.CreateSandboxPartner, message)
        return MadePartner(made.partner_id, made.secret, made.example_id_token)
