"""What the signer does about partners that the vault signed or suspended: it asks the vault."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from signer_core.errors import NotFoundError, VerificationError
from signer_core.partners.directory import PartnerDirectory
from signer_core.partners.ports import MAX_PAGE, VaultPartner, VaultPartners
from signer_core.storage.signer.partners import PartnerRow

Withdraw = Callable[[str], Awaitable[int]]  # everything open of this partner; how many


@dataclass(frozen=True, slots=True)
class PartnerFollowing:
    """Keeps the signer's copy; believes nobody but the vault, and the registry's signature."""

    vault: VaultPartners
    directory: PartnerDirectory
    withdrawals: Sequence[Withdraw] = ()

    async def follow(self, partner_id: str) -> tuple[PartnerRow, int]:
        """Take over what the vault says of a partner; return it, and how much was withdrawn.

        Raises:
            NotFoundError: the vault knows no such partner.
            VerificationError: the vault's row was altered: the partner is suspended here.
            UnavailableError: the vault is away: repeat it.
        """
        try:
            found = await self.vault.find(partner_id)
        except VerificationError:
            await self._end(partner_id)
            raise
        if found is None:
            raise NotFoundError("there is no such partner")
        row = self._row(found)
        await self.directory.partners.put(row)
        return row, 0 if row.active else await self._withdraw(partner_id)

    async def follow_all(self) -> None:
        """Take over what the vault says of every partner; whom it does not know is suspended.

        Raises:
            UnavailableError: the vault is away: repeat it.
        """
        after = ""
        while True:
            page = await self.vault.page(after, MAX_PAGE)
            for partner in page:
                await self._take_over(partner)
            until = page[-1].partner_id if len(page) == MAX_PAGE else ""
            known = [one.partner_id for one in page]
            await self.directory.partners.suspend_between(after, known, until)
            if not until:
                return
            after = until

    async def sweep(self) -> None:
        """Withdraw what suspended partners have open: what was being made when they were suspended.

        Raises:
            UnavailableError: the vault is away: repeat it.
        """
        for partner_id in await self.directory.partners.suspended():
            await self._withdraw(partner_id)

    async def _take_over(self, partner: VaultPartner) -> None:
        try:
            row = self._row(partner)
        except VerificationError:
            await self._end(partner.partner_id)
            return
        before = await self.directory.partners.find(partner.partner_id)
        await self.directory.partners.put(row)
        if before is not None and before.active and not row.active:
            await self._withdraw(partner.partner_id)

    def _row(self, partner: VaultPartner) -> PartnerRow:
        if partner.altered:
            raise VerificationError("the vault's record of this partner was altered")
        verified = self.directory.verify(partner.partner_id, partner.record)
        return PartnerRow(
            partner_id=partner.partner_id,
            record=partner.record,
            issued_at_s=verified.party.issued_at,
            active=partner.active,
            sandbox=partner.sandbox,
        )

    async def _end(self, partner_id: str) -> None:
        if await self.directory.partners.suspend(partner_id):
            await self._withdraw(partner_id)

    async def _withdraw(self, partner_id: str) -> int:
        return sum([await withdraw(partner_id) for withdraw in self.withdrawals])
