"""The last step of every new request: the vault knows it, and its phone may see it."""

from dataclasses import dataclass

from signer_core.errors import InvalidRequestError, SignerError, UnavailableError
from signer_core.identifiers import RequestId
from signer_core.ports import RequestRegistration, VaultRequests
from signer_core.protocol.key_action import about_hash
from signer_core.signing.close import Closing
from signer_core.signing.model import Request, RequestStatus
from signer_core.signing.notices import Notices
from signer_core.storage.signer.requests import Requests


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens stored requests; also what a crash or an absent vault left half-way."""

    requests: Requests
    vault: VaultRequests
    notices: Notices
    closing: Closing

    async def open(self, request_id: RequestId) -> RequestId:
        """Register a new request at the vault and show it; one that is open stays so.

        1. One that takes another's place: that one can never be signed any more.
        2. The vault knows it, if it has to do with it.

        Raises:
            InvalidRequestError, NotFoundError, KeyBlockedError, KeySuspendedError,
            RetireShareError: the vault refuses it, or the other one is being signed; it is
                forgotten.
            UnavailableError: the vault is away; repeat it.
        """
        request = await self.requests.get(request_id)
        if request.status is not RequestStatus.NEW:
            return request_id
        try:
            await self._replace(request)  # 1
            if request.content.is_signed:
                await self.vault.register(_registration(request))  # 2
        except UnavailableError:
            raise  # nobody knows whether it arrived: keep it, a repetition is harmless
        except SignerError:
            await self.requests.drop_new(request_id)
            raise
        await self.requests.open(request_id)
        self.notices.tell(request.content.key_id, *request.topics)
        return request_id

    async def _replace(self, request: Request) -> None:
        if request.replaces is not None:
            await self.closing.replace(await self.requests.get(request.replaces))


def _registration(request: Request) -> RequestRegistration:
    content = request.content
    hashes = tuple(file.file_hash for file in request.files)
    if bool(hashes) == (content.about is not None):
        raise InvalidRequestError("a request is about files, or about a key")
    about = () if content.about is None else (about_hash(content.about, content.challenge),)
    return RequestRegistration(
        request_id=request.request_id,
        key_id=content.key_id,
        kind=content.kind,
        request_hash=request.request_hash,
        file_hashes=hashes or about,
        expires_at_s=request.expires_at_s,
    )
