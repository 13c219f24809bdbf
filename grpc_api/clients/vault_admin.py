"""The vault as an officer's tool sees it, and the table of officers as the signer does."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar

import grpc

from grpc_api.clients.calls import call
from grpc_api.clients.vault_partners import from_wire
from grpc_api.gen.signer.vault.v1 import vault_admin_pb2 as pb
from grpc_api.gen.signer.vault.v1 import vault_admin_pb2_grpc
from signer_core.admin.officers import Grounds, Officer, OfficerClaim, Role
from signer_core.admin.seals import SealOrder, SealSummary
from signer_core.admin.vault import Ending, KekStatus, KeySummary, KeyUsage, Outcome, Rewrapped
from signer_core.errors import NotFoundError, UnavailableError
from signer_core.identifiers import KeyId
from signer_core.login.ports import KeyRole, LoginKey, LoginKeys
from signer_core.partners.ports import VaultPartner
from signer_core.pki.organisation import Organisation
from signer_core.ports import KeyStatus

_BATCH_DEADLINE_S: Final = 60.0  # 64 keys on a busy machine
_ENDINGS: Final[Mapping[Ending, pb.Ending.ValueType]] = {
    Ending.SUSPEND: pb.ENDING_SUSPEND,
    Ending.REVOKE: pb.ENDING_REVOKE,
}
_OUTCOMES: Final[Mapping[int, Outcome]] = {
    pb.OUTCOME_DONE: Outcome.DONE,
    pb.OUTCOME_ALREADY: Outcome.ALREADY,
    pb.OUTCOME_MISSING: Outcome.MISSING,
    pb.OUTCOME_ALTERED: Outcome.ALTERED,
}

T = TypeVar("T", KeyStatus, Role, KeyRole)


class VaultAdminClient:
    """`VaultAdmin` over gRPC, for the one officer whose certificate the channel has."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = vault_admin_pb2_grpc.VaultAdminServiceStub(channel)

    async def list_keys(self, after: bytes, limit: int, kek_id: str = "") -> Sequence[KeySummary]:
        """See `VaultAdmin.list_keys`."""
        message = pb.ListKeysRequest(after=after, limit=limit, kek_id=kek_id)
        return [_summary(one) for one in (await call(self._stub.ListKeys, message)).keys]

    async def get_keys(self, key_ids: Sequence[KeyId]) -> Sequence[KeySummary]:
        """See `VaultAdmin.get_keys`."""
        answer = await call(self._stub.GetKeys, pb.GetKeysRequest(key_ids=key_ids))
        return [_summary(one) for one in answer.keys]

    async def usage(self, key_id: KeyId) -> KeyUsage:
        """See `VaultAdmin.usage`."""
        answer = await call(self._stub.GetKeyUsage, pb.GetKeyUsageRequest(key_id=key_id))
        return KeyUsage(_summary(answer.key), dict(answer.requests))

    async def end_keys(
        self, key_ids: Sequence[KeyId], ending: Ending, grounds: Grounds
    ) -> Sequence[Outcome]:
        """See `VaultAdmin.end_keys`."""
        message = pb.EndKeysRequest(
            key_ids=key_ids, ending=_ENDINGS[ending], grounds=_grounds(grounds)
        )
        answer = await call(self._stub.EndKeys, message, _BATCH_DEADLINE_S)
        return [_OUTCOMES[one] for one in answer.outcomes]

    async def mark_for_refresh(
        self, key_ids: Sequence[KeyId], grounds: Grounds
    ) -> Sequence[Outcome]:
        """See `VaultAdmin.mark_for_refresh`."""
        message = pb.MarkForRefreshRequest(key_ids=key_ids, grounds=_grounds(grounds))
        answer = await call(self._stub.MarkForRefresh, message, _BATCH_DEADLINE_S)
        return [_OUTCOMES[one] for one in answer.outcomes]

    async def kek_status(self) -> KekStatus:
        """See `VaultAdmin.kek_status`."""
        answer = await call(self._stub.GetKekStatus, pb.GetKekStatusRequest())
        return KekStatus(answer.newest, dict(answer.records))

    async def start_rotation(self, grounds: Grounds) -> str:
        """See `VaultAdmin.start_rotation`."""
        message = pb.StartRotationRequest(grounds=_grounds(grounds))
        return (await call(self._stub.StartRotation, message)).kek_id

    async def rewrap(self, after: bytes, limit: int) -> Rewrapped:
        """See `VaultAdmin.rewrap`."""
        message = pb.RewrapRequest(after=after, limit=limit)
        answer = await call(self._stub.Rewrap, message, _BATCH_DEADLINE_S)
        return Rewrapped(answer.records, answer.keys, answer.after, answer.altered)

    async def login_keys(self) -> LoginKeys:
        """See `LoginKeyAdmin.login_keys`."""
        answer = await call(self._stub.GetLoginKeyStatus, pb.GetLoginKeyStatusRequest())
        return _login_keys(answer.keys, answer.rotated_at_s)

    async def rotate_login_key(self, grounds: Grounds, *, drop: bool) -> LoginKeys:
        """See `LoginKeyAdmin.rotate_login_key`."""
        message = pb.RotateLoginKeyRequest(grounds=_grounds(grounds), drop=drop)
        answer = await call(self._stub.RotateLoginKey, message)
        return _login_keys(answer.keys, answer.rotated_at_s)

    async def destroy_kek(self, kek_id: str, grounds: Grounds) -> None:
        """See `VaultAdmin.destroy_kek`."""
        message = pb.DestroyKekRequest(kek_id=kek_id, grounds=_grounds(grounds))
        await call(self._stub.DestroyKek, message, _BATCH_DEADLINE_S)

    async def revoke_process(self, serial: bytes, grounds: Grounds) -> Outcome:
        """See `VaultAdmin.revoke_process`."""
        message = pb.RevokeProcessRequest(serial=serial, grounds=_grounds(grounds))
        return _OUTCOMES[(await call(self._stub.RevokeProcess, message)).outcome]

    async def list_seals(self) -> Sequence[SealSummary]:
        """See `SealAdmin.list_seals`."""
        answer = await call(self._stub.ListSeals, pb.ListSealsRequest())
        return [_seal(one) for one in answer.seals]

    async def add_seal(self, order: SealOrder, grounds: Grounds) -> SealSummary:
        """See `SealAdmin.add_seal`."""
        wanted = pb.SealOrder(
            seal_id=order.seal_id,
            organisation=order.organisation.name,
            edrpou=order.organisation.edrpou,
            callers=sorted(order.callers),
        )
        message = pb.AddSealRequest(order=wanted, grounds=_grounds(grounds))
        return _seal((await call(self._stub.AddSeal, message)).seal)

    async def retire_seal(self, seal_id: str, grounds: Grounds) -> SealSummary:
        """See `SealAdmin.retire_seal`."""
        message = pb.RetireSealRequest(seal_id=seal_id, grounds=_grounds(grounds))
        return _seal((await call(self._stub.RetireSeal, message)).seal)

    async def list_officers(self) -> Sequence[Officer]:
        """See `VaultAdmin.list_officers`."""
        answer = await call(self._stub.ListOfficers, pb.ListOfficersRequest())
        return [_officer(one) for one in answer.officers]

    async def add_officer(self, officer_id: str, role: Role, csr: bytes, grounds: Grounds) -> bytes:
        """See `VaultAdmin.add_officer`."""
        message = pb.AddOfficerRequest(
            officer_id=officer_id, role=role.value, csr=csr, grounds=_grounds(grounds)
        )
        return (await call(self._stub.AddOfficer, message)).certificate_pem

    async def remove_officer(self, officer_id: str, grounds: Grounds) -> None:
        """See `VaultAdmin.remove_officer`."""
        message = pb.RemoveOfficerRequest(officer_id=officer_id, grounds=_grounds(grounds))
        await call(self._stub.RemoveOfficer, message)

    async def list_partners(self, after: str, limit: int) -> Sequence[VaultPartner]:
        """See `VaultAdmin.list_partners`."""
        message = pb.ListPartnersRequest(after=after, limit=limit)
        return [from_wire(one) for one in (await call(self._stub.ListPartners, message)).partners]

    async def get_partner(self, partner_id: str) -> VaultPartner:
        """See `VaultAdmin.get_partner`."""
        message = pb.GetPartnerRequest(partner_id=partner_id)
        return from_wire((await call(self._stub.GetPartner, message)).partner)

    async def sign_partner(self, description: str, grounds: Grounds) -> VaultPartner:
        """See `VaultAdmin.sign_partner`."""
        message = pb.SignPartnerRequest(description=description, grounds=_grounds(grounds))
        return from_wire((await call(self._stub.SignPartner, message)).partner)

    async def set_partner_active(
        self, partner_id: str, grounds: Grounds, *, active: bool
    ) -> VaultPartner:
        """See `VaultAdmin.set_partner_active`."""
        message = pb.SetPartnerActiveRequest(
            partner_id=partner_id, active=active, grounds=_grounds(grounds)
        )
        return from_wire((await call(self._stub.SetPartnerActive, message)).partner)


class OfficerTableClient:
    """Port `OfficerTable` over gRPC, for the signer."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = vault_admin_pb2_grpc.VaultOfficersServiceStub(channel)

    async def find_officer(self, claim: OfficerClaim) -> Officer | None:
        """See `OfficerTable.find_officer`."""
        message = pb.FindOfficerRequest(officer_id=claim.officer_id, key_hash=claim.key_hash)
        try:
            return _officer((await call(self._stub.FindOfficer, message)).officer)
        except NotFoundError:
            return None


def _grounds(grounds: Grounds) -> pb.Grounds:
    return pb.Grounds(reason=grounds.reason.value, ticket=grounds.ticket)


def _summary(key: pb.KeySummary) -> KeySummary:
    return KeySummary(
        key_id=KeyId(key.key_id),
        status=_known(KeyStatus, key.status),
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


def _seal(seal: pb.Seal) -> SealSummary:
    order = SealOrder(
        seal.order.seal_id,
        Organisation(seal.order.organisation, seal.order.edrpou),
        frozenset(seal.order.callers),
    )
    return SealSummary(order, seal.retired_at_s, seal.certificate, seal.status)


def _officer(officer: pb.Officer) -> Officer:
    return Officer(
        officer_id=officer.officer_id,
        role=_known(Role, officer.role),
        key_hash=officer.key_hash,
        active=officer.active,
        changed_at_s=officer.changed_at_s,
    )


def _login_keys(keys: Iterable[pb.LoginKeyState], rotated_at_s: int) -> LoginKeys:
    found = (LoginKey(one.kid, _known(KeyRole, one.role), one.public_key) for one in keys)
    return LoginKeys(tuple(found), rotated_at_s)


def _known(kind: type[T], value: str) -> T:
    try:
        return kind(value)
    except ValueError:
        raise UnavailableError("the vault speaks a newer version") from None
