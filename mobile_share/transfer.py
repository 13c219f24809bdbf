"""New shares of the same key: a refresh, and a change of the PIN (docs/flows/pin-change.md).

Two sessions: one that proves the PIN and makes generation g + 1 beside g, and at once the first
use of g + 1, which erases g on both sides. Whatever breaks off in between, the next session of
any kind finds out which generation the vault knows.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

from grpc_api.channel import Enrolled
from mobile_share.errors import UnchangedError
from mobile_share.phone import Phone
from mobile_share.ports import SignerClient
from mobile_share.session import Job, Signed, SigningSession, Use, open_newest, open_session
from mobile_share.share_file import masked
from signer_core.errors import ProtocolAbortError, UnavailableError, UnknownGenerationError
from signer_core.identifiers import RequestId
from signer_core.protocol.ecdsa2p.device.enrolment import DeviceEnrolled
from signer_core.protocol.ecdsa2p.device.transfer import DeviceTransfer
from signer_core.protocol.ecdsa2p.messages import (
    CheckCommitment,
    RefreshDelta,
    TransferPoints,
    VaultOpening,
)

TransferUse = Literal["refresh", "pin-change"]


class PreparedTransfer:
    """A session that waits for the PIN, to make new shares. Used once, as the session is."""

    def __init__(self, phone: Phone, session: SigningSession) -> None:
        self._phone, self._session = phone, session

    async def make(self, pin: str, new_pin: str) -> Signed:
        """Prove the PIN, make the next generation and store it under `new_pin`.

        `new_pin` is `pin` for a refresh, else it has passed `verify_new_pin`.

        Raises:
                as `SigningSession.sign`.
            ProtocolAbortError, RetireShareError: the transfer failed; the PIN is the old one.
            StorageError: the next generation cannot be stored; the vault never hears of it.
        """
        signed = await self._session.sign(pin)
        made = await self._run_rows()
        secret = self._phone.key_store.device_secret()
        self._phone.shares.add_next(await masked(made, new_pin, secret))
        with suppress(ProtocolAbortError, UnavailableError):  # the first use finds out
            await self._session.send(made.confirmation)  # row 9: only now the vault takes its own
            await self._session.receive(Enrolled)
        return signed

    async def _run_rows(self) -> DeviceEnrolled:
        """Rows 2 to 8 of §8."""
        session = self._session
        secret = self._phone.key_store.device_secret()
        party = DeviceTransfer(session.stored.share, secret, session.sid, secrets.token_bytes)
        delta = await session.receive(RefreshDelta)
        await session.send(await asyncio.to_thread(party.step3_publish, delta, session.take_x2()))
        points = await session.receive(TransferPoints)
        await session.send(await asyncio.to_thread(party.step5_correct, points))
        await session.send(party.step7_open_check(await session.receive(CheckCommitment)))
        opening = await session.receive(VaultOpening)
        return await asyncio.to_thread(party.step9_store, opening)


@asynccontextmanager
async def prepare(
    phone: Phone, signer: SignerClient, use: TransferUse, photo: bytes
) -> AsyncIterator[PreparedTransfer]:
    """Have the photo checked, open the channel and run steps 1 to 4 of the first session.

    Raises:
        as `open_session`; DeniedError where the photo does not match.
    """
    job = await _job(phone, signer, use, photo)
    async with open_session(phone, signer, job) as session:
        yield PreparedTransfer(phone, session)


async def use_first(phone: Phone, signer: SignerClient, photo: bytes, new_pin: str) -> None:
    """Use the new shares at once, to sign nothing: the success erases the old ones.

    If it fails for another reason than UnchangedError, the next session does the same.

    Raises:
        UnchangedError: the vault never took the new shares: the PIN is the old one.
        as `open_newest` and `SigningSession.sign`.
    """
    job = await _job(phone, signer, "sign", photo)
    try:
        async with open_newest(phone, signer, job) as session:
            await session.sign(new_pin)
    except UnknownGenerationError:  # never the older one: there the new PIN is a wrong one
        raise UnchangedError(
            "the change did not reach the vault: your PIN is the old one"
        ) from None


async def _job(phone: Phone, signer: SignerClient, use: Use, photo: bytes) -> Job:
    """Return a job about the key itself: no request, and the photo check is over the key id."""
    about = RequestId(phone.shares.load().share.key_id)
    return Job(about, b"", (), await signer.check_photo(about, photo), use)
