"""VaultAdminService and VaultOfficersService: officers at the vault, and who is one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import grpc
from typing_extensions import override

from grpc_api.gen.signer.vault.v1 import vault_admin_pb2 as wire
from grpc_api.gen.signer.vault.v1 import vault_admin_pb2_grpc as services
from grpc_api.interceptors.around import Context
from grpc_api.interceptors.officer import peer_officer
from grpc_api.servers.vault_partners import to_wire
from signer_core.admin.officers import Grounds, Officer, OfficerClaim, Reason, Role
from signer_core.admin.seals import SealAdmin, SealOrder, SealSummary
from signer_core.admin.vault import (
    Ending,
    KeySummary,
    OfficerTable,
    Outcome,
    VaultAdmin,
)
from signer_core.errors import InvalidRequestError, NotFoundError
from signer_core.identifiers import KeyId
from signer_core.login.ports import LoginKey, LoginKeyAdmin
from signer_core.pki.organisation import Organisation

SERVICES: Final = ("signer.vault.v1.VaultAdminService", "signer.vault.v1.VaultOfficersService")
_ENDINGS: Final[Mapping[int, Ending]] = {
    wire.ENDING_SUSPEND: Ending.SUSPEND,
    wire.ENDING_REVOKE: Ending.REVOKE,
}
OUTCOMES: Final[Mapping[Outcome, wire.Outcome.ValueType]] = {
    Outcome.DONE: wire.OUTCOME_DONE,
    Outcome.ALREADY: wire.OUTCOME_ALREADY,
    Outcome.MISSING: wire.OUTCOME_MISSING,
    Outcome.ALTERED: wire.OUTCOME_ALTERED,
}

E = TypeVar("E", Reason, Role)


class OfficerPort(VaultAdmin, SealAdmin, LoginKeyAdmin, Protocol):
    """What officers do, which the vault implements by one class."""


class AdminPort(OfficerPort, OfficerTable, Protocol):
    """The same, and who is an officer."""


def add_vault_admin(server: grpc.aio.Server, admin: AdminPort) -> tuple[str, ...]:
    """Register both services; return their full names."""
    services.add_VaultAdminServiceServicer_to_server(VaultAdminServicer(admin), server)
    services.add_VaultOfficersServiceServicer_to_server(VaultOfficersServicer(admin), server)
    return SERVICES


@dataclass(frozen=True, slots=True)
class VaultAdminServicer(services.VaultAdminServiceServicer):
    """Converts; the port checks."""

    admin: OfficerPort

    @override
    async def ListKeys(
        self, request: wire.ListKeysRequest, context: Context
    ) -> wire.ListKeysResponse:
        """List keys."""
        found = await self.admin.list_keys(
            peer_officer(context), request.after, request.limit, request.kek_id
        )
        return wire.ListKeysResponse(keys=map(_summary, found))

    @override
    async def GetKeys(self, request: wire.GetKeysRequest, context: Context) -> wire.GetKeysResponse:
        """Get keys by their ids."""
        ids = [KeyId(one) for one in request.key_ids]
        found = await self.admin.get_keys(peer_officer(context), ids)
        return wire.GetKeysResponse(keys=map(_summary, found))

    @override
    async def GetKeyUsage(
        self, request: wire.GetKeyUsageRequest, context: Context
    ) -> wire.GetKeyUsageResponse:
        """Get what a key was used for."""
        usage = await self.admin.usage(peer_officer(context), KeyId(request.key_id))
        return wire.GetKeyUsageResponse(key=_summary(usage.key), requests=usage.requests)

    @override
    async def EndKeys(self, request: wire.EndKeysRequest, context: Context) -> wire.EndKeysResponse:
        """Suspend or revoke."""
        if request.ending not in _ENDINGS:
            raise InvalidRequestError("a key is suspended or revoked, nothing else")
        ids = [KeyId(one) for one in request.key_ids]
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        outcomes = await self.admin.end_keys(
            peer_officer(context), ids, _ENDINGS[request.ending], grounds
        )
        return wire.EndKeysResponse(outcomes=[OUTCOMES[one] for one in outcomes])

    @override
    async def MarkForRefresh(
        self, request: wire.MarkForRefreshRequest, context: Context
    ) -> wire.MarkForRefreshResponse:
        """Let keys sign nothing before new shares."""
        ids = [KeyId(one) for one in request.key_ids]
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        outcomes = await self.admin.mark_for_refresh(peer_officer(context), ids, grounds)
        return wire.MarkForRefreshResponse(outcomes=[OUTCOMES[one] for one in outcomes])

    @override
    async def GetKekStatus(
        self, request: wire.GetKekStatusRequest, context: Context
    ) -> wire.GetKekStatusResponse:
        """Count records by KEK."""
        status = await self.admin.kek_status(peer_officer(context))
        return wire.GetKekStatusResponse(newest=status.newest, records=status.records)

    @override
    async def StartRotation(
        self, request: wire.StartRotationRequest, context: Context
    ) -> wire.StartRotationResponse:
        """Make the next KEK."""
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        kek_id = await self.admin.start_rotation(peer_officer(context), grounds)
        return wire.StartRotationResponse(kek_id=kek_id)

    @override
    async def Rewrap(self, request: wire.RewrapRequest, context: Context) -> wire.RewrapResponse:
        """Move some records."""
        done = await self.admin.rewrap(peer_officer(context), request.after, request.limit)
        return wire.RewrapResponse(
            records=done.records, keys=done.keys, after=done.after, altered=done.altered
        )

    @override
    async def GetLoginKeyStatus(
        self, request: wire.GetLoginKeyStatusRequest, context: Context
    ) -> wire.GetLoginKeyStatusResponse:
        """Get the login keys."""
        found = await self.admin.login_keys(peer_officer(context))
        return wire.GetLoginKeyStatusResponse(
            keys=map(_login_key, found.keys), rotated_at_s=found.rotated_at_s
        )

    @override
    async def RotateLoginKey(
        self, request: wire.RotateLoginKeyRequest, context: Context
    ) -> wire.RotateLoginKeyResponse:
        """Let the next login key sign."""
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        now = await self.admin.rotate_login_key(peer_officer(context), grounds, drop=request.drop)
        return wire.RotateLoginKeyResponse(
            keys=map(_login_key, now.keys), rotated_at_s=now.rotated_at_s
        )

    @override
    async def DestroyKek(
        self, request: wire.DestroyKekRequest, context: Context
    ) -> wire.DestroyKekResponse:
        """Destroy a KEK."""
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        await self.admin.destroy_kek(peer_officer(context), request.kek_id, grounds)
        return wire.DestroyKekResponse()

    @override
    async def RevokeProcess(
        self, request: wire.RevokeProcessRequest, context: Context
    ) -> wire.RevokeProcessResponse:
        """Revoke a process's certificate."""
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        outcome = await self.admin.revoke_process(peer_officer(context), request.serial, grounds)
        return wire.RevokeProcessResponse(outcome=OUTCOMES[outcome])

    @override
    async def ListSeals(
        self, request: wire.ListSealsRequest, context: Context
    ) -> wire.ListSealsResponse:
        """List seals."""
        found = await self.admin.list_seals(peer_officer(context))
        return wire.ListSealsResponse(seals=map(_seal, found))

    @override
    async def AddSeal(self, request: wire.AddSealRequest, context: Context) -> wire.AddSealResponse:
        """Make a seal."""
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        made = await self.admin.add_seal(peer_officer(context), _order(request.order), grounds)
        return wire.AddSealResponse(seal=_seal(made))

    @override
    async def RetireSeal(
        self, request: wire.RetireSealRequest, context: Context
    ) -> wire.RetireSealResponse:
        """End a seal."""
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        retired = await self.admin.retire_seal(peer_officer(context), request.seal_id, grounds)
        return wire.RetireSealResponse(seal=_seal(retired))

    @override
    async def ListOfficers(
        self, request: wire.ListOfficersRequest, context: Context
    ) -> wire.ListOfficersResponse:
        """List officers."""
        found = await self.admin.list_officers(peer_officer(context))
        return wire.ListOfficersResponse(officers=map(_officer, found))

    @override
    async def AddOfficer(
        self, request: wire.AddOfficerRequest, context: Context
    ) -> wire.AddOfficerResponse:
        """Certify a new officer's key."""
        pem = await self.admin.add_officer(
            peer_officer(context),
            request.officer_id,
            _parse(Role, request.role, "role"),
            request.csr,
            parse_grounds(request.grounds.reason, request.grounds.ticket),
        )
        return wire.AddOfficerResponse(certificate_pem=pem)

    @override
    async def RemoveOfficer(
        self, request: wire.RemoveOfficerRequest, context: Context
    ) -> wire.RemoveOfficerResponse:
        """End an officer's access."""
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        await self.admin.remove_officer(peer_officer(context), request.officer_id, grounds)
        return wire.RemoveOfficerResponse()

    @override
    async def ListPartners(
        self, request: wire.ListPartnersRequest, context: Context
    ) -> wire.ListPartnersResponse:
        """List partners."""
        claim = peer_officer(context)
        found = await self.admin.list_partners(claim, request.after, request.limit)
        return wire.ListPartnersResponse(partners=map(to_wire, found))

    @override
    async def GetPartner(
        self, request: wire.GetPartnerRequest, context: Context
    ) -> wire.GetPartnerResponse:
        """Get a partner."""
        found = await self.admin.get_partner(peer_officer(context), request.partner_id)
        return wire.GetPartnerResponse(partner=to_wire(found))

    @override
    async def SignPartner(
        self, request: wire.SignPartnerRequest, context: Context
    ) -> wire.SignPartnerResponse:
        """Sign a partner's record."""
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        claim = peer_officer(context)
        signed = await self.admin.sign_partner(claim, request.description, grounds)
        return wire.SignPartnerResponse(partner=to_wire(signed))

    @override
    async def SetPartnerActive(
        self, request: wire.SetPartnerActiveRequest, context: Context
    ) -> wire.SetPartnerActiveResponse:
        """Suspend or resume."""
        grounds = parse_grounds(request.grounds.reason, request.grounds.ticket)
        changed = await self.admin.set_partner_active(
            peer_officer(context), request.partner_id, grounds, active=request.active
        )
        return wire.SetPartnerActiveResponse(partner=to_wire(changed))


@dataclass(frozen=True, slots=True)
class VaultOfficersServicer(services.VaultOfficersServiceServicer):
    """Answers the signer."""

    table: OfficerTable

    @override
    async def FindOfficer(
        self, request: wire.FindOfficerRequest, context: Context
    ) -> wire.FindOfficerResponse:
        """Find an active officer."""
        claim = OfficerClaim(request.officer_id, request.key_hash)
        found = await self.table.find_officer(claim)
        if found is None:
            raise NotFoundError("there is no such officer")
        return wire.FindOfficerResponse(officer=_officer(found))


def parse_grounds(reason: str, ticket: str) -> Grounds:
    """Return what an officer gave for a change.

    Raises:
        InvalidRequestError: the reason is no word of the list, or the ticket is malformed.
    """
    return Grounds(_parse(Reason, reason, "reason"), ticket)


def _parse(kind: type[E], value: str, what: str) -> E:
    try:
        return kind(value)
    except ValueError:
        words = ", ".join(kind)
        raise InvalidRequestError(f"the {what} is one of: {words}") from None


def _summary(key: KeySummary) -> wire.KeySummary:
    return wire.KeySummary(
        key_id=key.key_id,
        status=key.status.value,
        ended_by=key.ended_by,
        must_refresh=key.must_refresh,
        failed=key.failed,
        lifetime_failed=key.lifetime_failed,
        hold_until_s=key.hold_until_s,
        signatures=key.signatures,
        generation=key.generation,
        kek_id=key.kek_id,
        certified=key.certified,
        altered=key.altered,
    )


def _order(order: wire.SealOrder) -> SealOrder:
    organisation = Organisation(order.organisation, order.edrpou)
    return SealOrder(order.seal_id, organisation, frozenset(order.callers))


def _seal(seal: SealSummary) -> wire.Seal:
    order = wire.SealOrder(
        seal_id=seal.order.seal_id,
        organisation=seal.order.organisation.name,
        edrpou=seal.order.organisation.edrpou,
        callers=sorted(seal.order.callers),
    )
    return wire.Seal(
        order=order,
        retired_at_s=seal.retired_at_s,
        certificate=seal.certificate,
        status=seal.status,
    )


def _officer(officer: Officer) -> wire.Officer:
    return wire.Officer(
        officer_id=officer.officer_id,
        role=officer.role.value,
        key_hash=officer.key_hash,
        active=officer.active,
        changed_at_s=officer.changed_at_s,
    )


def _login_key(key: LoginKey) -> wire.LoginKeyState:
    return wire.LoginKeyState(kid=key.kid, role=key.role.value, public_key=key.public_key)
