"""Signing a request: fetch, check, prepare while the person reads, sign with the PIN."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from mobile_share.errors import ReplyLostError
from mobile_share.phone import Phone
from mobile_share.ports import RequestStatus, SignerClient
from mobile_share.requests import Request, verify_request
from mobile_share.session import Job, SigningSession, open_session
from signer_core.errors import InvalidRequestError, VerificationError
from signer_core.identifiers import RequestId
from signer_core.protocol.ecdsa2p.messages import MAX_DIGESTS


@dataclass(frozen=True, slots=True)
class Outcome:
    """A signed request."""

    signatures: int  # verified by this phone; 0 where the vault's answer was lost
    wrong_tries: int  # wrong PINs since the success before this one
    is_confirmed: bool  # False: the answer was lost, and the signer says that it is signed


async def fetch_request(
    phone: Phone, signer: SignerClient, request_id: RequestId, now: datetime
) -> Request:
    """Fetch a request with its documents and check all of it (`verify_request`)."""
    certificate = phone.certificate()
    registry = phone.deployment.verify_registry(now)
    untrusted = await signer.get_request(request_id)
    if untrusted.request_id != request_id:
        raise VerificationError("the signer answered with another request")
    files = untrusted.files[:MAX_DIGESTS]  # `verify_request` refuses more; download no more
    documents = [
        await signer.get_document(request_id, index)
        for index, file in enumerate(files)
        if file.size_bytes
    ]
    return verify_request(untrusted, tuple(documents), registry, certificate, int(now.timestamp()))


class PreparedSignature:
    """A request whose session waits for the PIN. Used once; mutable as the session is."""

    def __init__(self, request: Request, session: SigningSession, signer: SignerClient) -> None:
        self._request, self._session, self._signer = request, session, signer

    async def sign(self, pin: str) -> Outcome:
        """Sign; raises as `SigningSession.sign`, but asks for a lost reply.

        Raises:
            ReplyLostError: the answer was lost, and it is not signed, or nobody can say.
        """
        try:
            signed = await self._session.sign(pin)
        except ReplyLostError:
            if await self._signer.get_result(self._request.request_id) is RequestStatus.CONSUMED:
                return Outcome(0, 0, is_confirmed=False)
            raise
        return Outcome(len(signed.signatures), signed.wrong_tries, is_confirmed=True)


@asynccontextmanager
async def prepare(
    phone: Phone, signer: SignerClient, request: Request, photo: bytes
) -> AsyncIterator[PreparedSignature]:
    """Have the photo checked, open the channel and run steps 1 to 4 for a checked request.

    Raises:
        as `open_session`; DeniedError where the photo does not match; InvalidRequestError for
        "antibot", which is confirmed (`mobile_share.presence`).
    """
    if not request.to_be_signed:
        raise InvalidRequestError("this request is confirmed, not signed")
    attestation = await signer.check_photo(request.request_id, photo)
    job = Job(request.request_id, request.request_hash, request.items(), attestation)
    async with open_session(phone, signer, job) as session:
        yield PreparedSignature(request, session, signer)
