"""Posting a callback: the signer has it, the job only names it."""

from dataclasses import dataclass

from grpc_api.clients.callbacks import CallbacksClient
from grpc_api.jobs.kinds import GiveUpError, TryLaterError
from grpc_api.jobs.posting import Message, Poster
from signer_core.errors import NotFoundError, SignerError


@dataclass(frozen=True, slots=True)
class PostCallback:
    """Gets the message of a job, and posts it."""

    callbacks: CallbacksClient
    poster: Poster

    async def __call__(self, job_id: str, _body: bytes) -> None:
        """Post it; the same bytes and the same id at each try.

        Raises:
            TryLaterError: the partner, or the signer, is away.
            GiveUpError: nobody has the callback any more, or it can go nowhere.
        """
        try:
            address, headers, content = await self.callbacks.get(job_id)
        except NotFoundError:
            raise GiveUpError("the callback has expired") from None
        except SignerError as error:
            raise TryLaterError(f"the signer says {error.code}") from None
        await self.poster.post(Message(address, headers, content))
