"""The vault as officers call it (`signer_core.admin.vault`): first who, then what."""

from collections.abc import Sequence
from dataclasses import dataclass

from hsm_module.admin.access import OfficerDoor
from hsm_module.admin.keys import KeyDesk
from hsm_module.admin.officers import OfficerDesk
from hsm_module.admin.process_certificates import revoke_process
from hsm_module.admin.rotation import Rotation
from hsm_module.admin.seals import SealDesk
from hsm_module.login.keys import LoginKeyring
from hsm_module.partners.desk import PartnerDesk
from signer_core.admin.officers import Grounds, Officer, OfficerClaim, Role
from signer_core.admin.seals import SealOrder, SealSummary
from signer_core.admin.vault import (
    Ending,
    KekStatus,
    KeySummary,
    KeyUsage,
    Outcome,
    Rewrapped,
)
from signer_core.errors import NotFoundError
from signer_core.identifiers import KeyId
from signer_core.login.ports import LoginKeys
from signer_core.partners.ports import VaultPartner


@dataclass(frozen=True, slots=True)
class Admin:
    """Each method checks the caller's role and passes on; docstrings are those of the port."""

    door: OfficerDoor
    keys: KeyDesk
    rotation: Rotation
    officers: OfficerDesk
    login: LoginKeyring
    seals: SealDesk
    partners: PartnerDesk

    async def list_keys(
        self, claim: OfficerClaim, after: bytes, limit: int, kek_id: str = ""
    ) -> Sequence[KeySummary]:
        """See the port."""
        await self.door.verify(claim, "list-keys", changes=False)
        return await self.keys.list_keys(after, limit, kek_id)

    async def get_keys(self, claim: OfficerClaim, key_ids: Sequence[KeyId]) -> Sequence[KeySummary]:
        """See the port."""
        await self.door.verify(claim, "get-keys", changes=False)
        return await self.keys.get_keys(key_ids)

    async def usage(self, claim: OfficerClaim, key_id: KeyId) -> KeyUsage:
        """See the port."""
        await self.door.verify(claim, "usage", changes=False)
        return await self.keys.usage(key_id)

    async def end_keys(
        self, claim: OfficerClaim, key_ids: Sequence[KeyId], ending: Ending, grounds: Grounds
    ) -> Sequence[Outcome]:
        """See the port."""
        await self.door.verify(claim, "end-keys", changes=True)
        return await self.keys.end(key_ids, ending, grounds)

    async def mark_for_refresh(
        self, claim: OfficerClaim, key_ids: Sequence[KeyId], grounds: Grounds
    ) -> Sequence[Outcome]:
        """See the port."""
        await self.door.verify(claim, "mark-for-refresh", changes=True)
        return await self.keys.mark_for_refresh(key_ids, grounds)

    async def kek_status(self, claim: OfficerClaim) -> KekStatus:
        """See the port."""
        await self.door.verify(claim, "kek-status", changes=False)
        return await self.rotation.status()

    async def start_rotation(self, claim: OfficerClaim, grounds: Grounds) -> str:
        """See the port."""
        await self.door.verify(claim, "start-rotation", changes=True)
        return await self.rotation.start(grounds)

    async def rewrap(self, claim: OfficerClaim, after: bytes, limit: int) -> Rewrapped:
        """See the port."""
        await self.door.verify(claim, "rewrap", changes=True)
        return await self.rotation.rewrap(after, limit)

    async def login_keys(self, claim: OfficerClaim) -> LoginKeys:
        """See `LoginKeyAdmin`."""
        await self.door.verify(claim, "login-keys", changes=False)
        return await self.login.published()

    async def rotate_login_key(
        self, claim: OfficerClaim, grounds: Grounds, *, drop: bool
    ) -> LoginKeys:
        """See `LoginKeyAdmin`."""
        await self.door.verify(claim, "rotate-login-key", changes=True)
        return await self.login.rotate(grounds.reason, grounds.ticket, drop=drop)

    async def destroy_kek(self, claim: OfficerClaim, kek_id: str, grounds: Grounds) -> None:
        """See the port."""
        await self.door.verify(claim, "destroy-kek", changes=True)
        await self.rotation.destroy(kek_id, grounds)

    async def revoke_process(self, claim: OfficerClaim, serial: bytes, grounds: Grounds) -> Outcome:
        """See the port."""
        await self.door.verify(claim, "revoke-process", changes=True)
        return await revoke_process(self.door.store, serial, grounds)

    async def list_seals(self, claim: OfficerClaim) -> Sequence[SealSummary]:
        """See the port."""
        await self.door.verify(claim, "list-seals", changes=False)
        return await self.seals.all()

    async def add_seal(
        self, claim: OfficerClaim, order: SealOrder, grounds: Grounds
    ) -> SealSummary:
        """See the port."""
        await self.door.verify(claim, "add-seal", changes=True)
        return await self.seals.add(order, grounds)

    async def retire_seal(self, claim: OfficerClaim, seal_id: str, grounds: Grounds) -> SealSummary:
        """See the port."""
        await self.door.verify(claim, "retire-seal", changes=True)
        return await self.seals.retire(seal_id, grounds)

    async def list_officers(self, claim: OfficerClaim) -> Sequence[Officer]:
        """See the port."""
        await self.door.verify(claim, "list-officers", changes=False)
        return await self.officers.all()

    async def add_officer(
        self, claim: OfficerClaim, officer_id: str, role: Role, csr: bytes, grounds: Grounds
    ) -> bytes:
        """See the port."""
        await self.door.verify(claim, "add-officer", changes=True)
        return await self.officers.add(officer_id, role, csr, grounds)

    async def remove_officer(self, claim: OfficerClaim, officer_id: str, grounds: Grounds) -> None:
        """See the port."""
        await self.door.verify(claim, "remove-officer", changes=True)
        await self.officers.remove(officer_id, grounds)

    async def list_partners(
        self, claim: OfficerClaim, after: str, limit: int
    ) -> Sequence[VaultPartner]:
        """See the port."""
        await self.door.verify(claim, "list-partners", changes=False)
        return await self.partners.page(after, limit)

    async def get_partner(self, claim: OfficerClaim, partner_id: str) -> VaultPartner:
        """See the port."""
        await self.door.verify(claim, "get-partner", changes=False)
        found = await self.partners.find(partner_id)
        if found is None:
            raise NotFoundError("there is no such partner")
        return found

    async def sign_partner(
        self, claim: OfficerClaim, description: str, grounds: Grounds
    ) -> VaultPartner:
        """See the port."""
        await self.door.verify(claim, "sign-partner", changes=True)
        return await self.partners.sign(description, grounds)

    async def set_partner_active(
        self, claim: OfficerClaim, partner_id: str, grounds: Grounds, *, active: bool
    ) -> VaultPartner:
        """See the port."""
        await self.door.verify(claim, "set-partner-active", changes=True)
        return await self.partners.set_active(partner_id, grounds, active=active)

    async def find_officer(self, claim: OfficerClaim) -> Officer | None:
        """See `OfficerTable`."""
        return await self.door.find(claim)
