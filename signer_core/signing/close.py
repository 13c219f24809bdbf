"""Declining and withdrawing: the vault burns first, so that nothing closed can be signed."""

from dataclasses import dataclass

from signer_core.errors import InvalidRequestError
from signer_core.ports import VaultRequests
from signer_core.signing import rules
from signer_core.signing.model import Clock, Request, RequestStatus
from signer_core.signing.notices import Notices
from signer_core.storage.signer.requests import Requests


@dataclass(frozen=True, slots=True)
class Closing:
    """Closes open requests."""

    requests: Requests
    vault: VaultRequests
    notices: Notices
    clock: Clock

    async def decline(self, request: Request, reason: str) -> None:
        """Close a request for the person; repeating it is harmless.

        Raises:
            InvalidRequestError: it is not open any more, or being signed; or the reason is over
                200 characters.
            UnavailableError: the vault is away; repeat it.
        """
        rules.check_text("the reason", reason, 0, rules.MAX_REASON_CHARACTERS)
        await self._close(request, RequestStatus.DECLINED, reason)

    async def withdraw(self, request: Request) -> None:
        """Close a request for the one who made it; repeating it is harmless.

        Raises:
            InvalidRequestError: it is not open any more, or being signed.
            UnavailableError: the vault is away; repeat it.
        """
        await self._close(request, RequestStatus.WITHDRAWN, "")

    async def replace(self, request: Request) -> None:
        """Close a request whose successor is about to be opened; repeating it is harmless.

        Raises:
            InvalidRequestError: it is not open any more, or being signed.
            UnavailableError: the vault is away; repeat it.
        """
        await self._close(request, RequestStatus.REPLACED, "")

    async def _close(self, request: Request, closing: RequestStatus, reason: str) -> None:
        status = request.status_at(int(self.clock().timestamp()))
        if status is closing:
            return
        if status is not RequestStatus.OPEN:
            raise InvalidRequestError(f"the request is not open any more: it is {status}")
        await self._burn(request, closing, reason)
        now_s = int(self.clock().timestamp())
        settled = await self.requests.settle_burned(request.request_id, now_s)
        if not settled and not request.content.is_signed:  # confirmed meanwhile
            raise InvalidRequestError("the request is not open any more")
        self.notices.tell(*request.topics)

    async def _burn(self, request: Request, closing: RequestStatus, reason: str) -> None:
        request_id = request.request_id
        # The reason is stored first: after a crash in between, the vault's "burned" is read as it.
        if not await self.requests.intend(request_id, closing, reason):
            raise InvalidRequestError("the request is not open any more")
        if not request.content.is_signed:
            return
        try:
            await self.vault.burn(request_id)
        except InvalidRequestError:
            await self.requests.forget_intent(request_id)
            raise InvalidRequestError("the request is signed, or being signed now") from None
