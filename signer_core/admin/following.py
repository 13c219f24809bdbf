"""What the signer does about keys that an officer ended: asks the vault, tells the phones."""

from collections.abc import Sequence
from dataclasses import dataclass

from signer_core.identifiers import KeyId
from signer_core.signing.collect import Collection
from signer_core.signing.model import RequestStatus
from signer_core.signing.notices import Notices
from signer_core.storage.signer.people import People


@dataclass(frozen=True, slots=True)
class Following:
    """Closes requests that the vault burned; believes nobody else that it did."""

    people: People
    collection: Collection
    notices: Notices

    async def follow(self, key_ids: Sequence[KeyId]) -> int:
        """Collect the open requests of these keys; return how many are closed now.

        Raises:
            UnavailableError: the vault is away: repeat it.
        """
        closed = 0
        for key_id in key_ids:
            for request_id in await self.people.open_requests(key_id):
                request = await self.collection.collect(request_id)
                closed += request.status is not RequestStatus.OPEN
            self.notices.tell(key_id)
        return closed
