"""After a start: requests that the last process left half-way."""

import asyncio
from dataclasses import dataclass

import structlog

from signer_core.errors import SignerError, UnavailableError
from signer_core.identifiers import RequestId
from signer_core.signing.collect import Collection
from signer_core.signing.model import RequestStatus
from signer_core.signing.opening import Opening
from signer_core.storage.signer.requests import Requests

log = structlog.get_logger()

_RETRY_S = 5  # while the vault is away


@dataclass(frozen=True, slots=True)
class Recovery:
    """Opens what was stored but not registered, and collects what was signed meanwhile."""

    requests: Requests
    opening: Opening
    collection: Collection

    async def run(self) -> None:
        """Recover each request once, waiting for the vault as long as it takes."""
        for request_id in await self.requests.unfinished():
            while not await self._recovered(request_id):
                await asyncio.sleep(_RETRY_S)

    async def _recovered(self, request_id: RequestId) -> bool:
        try:
            request = await self.requests.get(request_id)
            if request.status is RequestStatus.NEW:
                await self.opening.open(request_id)
            else:
                await self.collection.collect(request_id)
        except UnavailableError:
            return False
        except SignerError as error:  # this one stays as it is; the others must not wait for it
            log.warning("recovery.failed", request_id=request_id.hex(), code=error.code)
        return True
