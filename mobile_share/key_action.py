"""Suspend, revoke or replace a key: the owner's PIN over nothing but the wish (§6)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.session import Job, Signed, SigningSession, open_session
from mobile_share.share_file import ShareStatus
from signer_core.errors import KeySuspendedError, RetireShareError, SignerError
from signer_core.identifiers import KeyId
from signer_core.protocol.key_action import KeyAction, action_hash

_ENDS: Final[Mapping[KeyAction, tuple[ShareStatus, type[SignerError]]]] = {
    KeyAction.SUSPENSION: (ShareStatus.SUSPENDED, KeySuspendedError),
    KeyAction.REVOCATION: (ShareStatus.RETIRED, RetireShareError),
}


class PreparedAction:
    """A session that waits for the PIN, to act on a key. Used once, as the session is."""

    def __init__(self, action: KeyAction, session: SigningSession) -> None:
        self._action, self._session = action, session

    async def confirm(self, pin: str) -> Signed:
        """Confirm; a key that ends itself is erased here as well.

        Raises:
            as `SigningSession.sign`; ReplyLostError: run it again.
        """
        if self._action not in _ENDS:
            return await self._session.sign(pin)
        status, said = _ENDS[self._action]
        try:
            signed = await self._session.sign(pin)
        except said:  # the vault's word, after the answer or before: it is as the owner wants it
            return Signed((), 0)
        self._session.close_key(status)
        return signed


@asynccontextmanager
async def prepare(
    phone: Phone, signer: SignerClient, action: KeyAction, about: KeyId, photo: bytes
) -> AsyncIterator[PreparedAction]:
    """Ask for a request about the key `about`, and run steps 1 to 4 of its session.

    The signer gives an id and nothing else: what is confirmed is hashed here.

    Raises:
        NotFoundError, DeniedError: the signer opens no such request.
        as `open_session`.
    """
    request_id = await signer.request_key_action(action, about)
    attestation = await signer.check_photo(request_id, photo)
    job = Job(request_id, action_hash(action, about), (), attestation)
    async with open_session(phone, signer, job) as session:
        yield PreparedAction(action, session)
