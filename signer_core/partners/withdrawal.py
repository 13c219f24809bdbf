"""Withdrawing what a suspended partner has asked people for."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from signer_core.errors import InvalidRequestError
from signer_core.pki.relying_party import read_claims
from signer_core.signing.close import Closing
from signer_core.signing.notices import Notices
from signer_core.storage.signer.offers import Offers
from signer_core.storage.signer.partner_requests import open_offers, open_records, open_under
from signer_core.storage.signer.requests import Requests


@dataclass(frozen=True, slots=True)
class OpenRequests:
    """The requests that wait on phones, also those that came of an offer."""

    engine: AsyncEngine
    closing: Closing

    async def withdraw(self, partner_id: str) -> int:
        """Withdraw every open request of a partner; return how many.

        One that is being signed at this moment goes on: its person has said yes.

        Raises:
            UnavailableError: the vault is away: repeat it.
        """
        records = await open_records(self.engine)
        its = [record for record in records if claimed_id(record) == partner_id]
        requests, count = Requests(self.engine), 0
        for request_id in await open_under(self.engine, its):
            try:
                await self.closing.withdraw(await requests.get(request_id))
            except InvalidRequestError:
                continue
            count += 1
        return count


@dataclass(frozen=True, slots=True)
class OpenOffers:
    """The offers that no phone has opened."""

    engine: AsyncEngine
    notices: Notices

    async def withdraw(self, partner_id: str) -> int:
        """Withdraw every open offer of a partner; return how many."""
        offers, count = Offers(self.engine), 0
        for offer_id in await open_offers(self.engine, partner_id):
            if await offers.withdraw(offer_id):
                self.notices.tell(offer_id)
                count += 1
        return count


def claimed_id(record: str) -> str:
    """Return the id that a stored record names; "" for what is no record (requests about keys)."""
    return str(read_claims(record).get("id", ""))
