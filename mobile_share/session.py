"""One signing session of the phone, from the share file to the new epoch (docs/spec §3)."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from grpc_api.channel import DeviceChannel, EpochAcked, FromVault
from mobile_share.errors import DamagedFileError, ReplyLostError, UnansweredSessionsError
from mobile_share.phone import Phone
from mobile_share.pin import derive_factor, unmask_share
from mobile_share.ports import SignerClient
from mobile_share.share_file import ShareStatus, ShareStore, StoredShare
from mobile_share.vault_channel import open_vault
from mobile_share.weak_pins import verify_pin_form
from signer_core.errors import ProtocolAbortError, RetireShareError, UnavailableError
from signer_core.identifiers import RequestId
from signer_core.protocol.curve import Scalar
from signer_core.protocol.ecdsa2p.device.signing import DeviceSigned, DeviceSigning, EpochState
from signer_core.protocol.ecdsa2p.messages import (
    Item,
    NonceCommitments,
    NonceOpenings,
    PartialSignatures,
    Signature,
    Signatures,
)
from signer_core.protocol.epoch import MAX_PENDING

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Job:
    """What one session signs."""

    request_id: RequestId  # or the key id, for the key's own PKCS#10
    request_hash: bytes  # 32 bytes
    items: Sequence[Item]
    attestation: str = field(repr=False)  # of the photo check, at most 5 minutes old at step 3


@dataclass(frozen=True, slots=True)
class Signed:
    """What a session brought: verified under Q by this phone."""

    signatures: tuple[Signature, ...]
    wrong_tries: int  # wrong PINs since the success before this one, for the owner to see


class SigningSession:
    """One session, used once. Mutable: it is the state of a protocol run and dies with it."""

    def __init__(self, channel: DeviceChannel, store: ShareStore, device_secret: bytes) -> None:
        self._channel, self._store, self._secret = channel, store, device_secret
        self._stored = load_usable(store)
        epoch = EpochState(self._stored.epoch, self._stored.epoch_key, self._stored.pending)
        self._party = DeviceSigning(self._stored.share, device_secret, epoch, secrets.token_bytes)

    async def prepare(self, job: Job) -> None:
        """Run steps 1 to 4, while the person reads.

        Raises:
            SignerError: as the vault says; the session is over.
        """
        request = await asyncio.to_thread(
            self._party.step1_request, "sign", job.request_id, job.request_hash, job.items
        )
        await self._channel.send(request)
        commitments = await self._receive(NonceCommitments)
        attestation = job.attestation.encode("ascii")
        answer = await asyncio.to_thread(self._party.step3_answer, commitments, attestation)
        await self._channel.send(answer)
        openings = await self._receive(NonceOpenings)
        await asyncio.to_thread(self._party.step5_check_openings, openings)

    async def sign(self, pin: str) -> Signed:
        """Run steps 5 to 7 with the PIN.

        Raises:
            WeakPinError: it is not five digits; nothing was sent.
            PinRejectedError, KeyHeldError, KeyBlockedError: as the vault counts.
            RetireShareError: the vault found an attack; the share is retired here too.
            ReplyLostError: ask for the result of the request.
            StorageError: before step 5: nothing was sent; after: the epoch was not stored.
        """
        verify_pin_form(pin)
        factor = await derive_factor(pin, self._secret, self._stored.mask)
        self._store_pending()  # durable before step 5: a lost reply is told from a copy by it
        x2 = Scalar(unmask_share(self._stored.masked_share, factor))
        partials = await asyncio.to_thread(self._party.step5_sign, x2)
        del x2, factor
        reply = await self._exchange_step5(partials)
        signed = await asyncio.to_thread(self._party.step7_verify, reply)
        self._store_epoch(signed)
        await self._acknowledge(signed)
        return Signed(signed.signatures, reply.wrong_tries)

    def _store_pending(self) -> None:
        self._stored = self._stored.with_pending(self._party.sid)
        self._store.replace(self._stored)

    async def _exchange_step5(self, partials: PartialSignatures) -> Signatures:
        try:
            await self._channel.send(partials)
            reply = await self._next()
        except (ProtocolAbortError, UnavailableError) as error:
            raise ReplyLostError("the connection broke before the vault's answer came") from error
        return expect(reply, Signatures)

    def _store_epoch(self, signed: DeviceSigned) -> None:
        self._stored = self._stored.with_epoch(signed.epoch.number, signed.epoch.key)
        self._store.replace(self._stored)

    async def _acknowledge(self, signed: DeviceSigned) -> None:
        """Tell the vault that the epoch is stored; if that is lost, the next tag tells it."""
        with suppress(ProtocolAbortError, UnavailableError):
            await self._channel.send(signed.ack)
            await self._receive(EpochAcked)

    async def _receive(self, kind: type[M]) -> M:
        return expect(await self._next(), kind)

    async def _next(self) -> FromVault:
        """Return the vault's next message; its word that the key is retired is kept for good."""
        try:
            return await self._channel.receive()
        except RetireShareError:
            self._store.replace(self._stored.retired())
            raise


def expect(message: FromVault, kind: type[M]) -> M:
    """Return the message if it is the one that is due.

    Raises:
        ProtocolAbortError: it is another one.
    """
    if not isinstance(message, kind):
        raise ProtocolAbortError("the vault sent a message out of order", culprit="vault")
    return message


def load_usable(store: ShareStore) -> StoredShare:
    """Return the share if a session may begin with it.

    Raises:
        NotEnrolledError, DamagedFileError, UnsupportedVersionError: there is none to read.
        RetireShareError: the vault retired it.
        UnansweredSessionsError: 64 sessions are pending.
    """
    stored = store.load()
    if stored.status is ShareStatus.RETIRED:
        raise RetireShareError("this phone's key was retired for ever: enrol again")
    if len(stored.pending) >= MAX_PENDING:
        raise UnansweredSessionsError(
            f"{MAX_PENDING} signatures in a row got no answer; one more would look like a copy of"
            " this phone: enrol again"
        )
    return stored


@asynccontextmanager
async def open_session(
    phone: Phone, signer: SignerClient, job: Job
) -> AsyncIterator[SigningSession]:
    """Open a channel and run steps 1 to 4; then `sign` with the PIN.

    Raises:
        as `load_usable`, `open_vault` and `SigningSession.prepare`.
    """
    store = phone.shares
    stored = load_usable(store)
    if stored.share.device_key_hash != phone.key_store.device_key().key_hash:
        raise DamagedFileError("the share file belongs to another phone")
    async with open_vault(phone, signer, stored.share.key_id, job.request_id) as channel:
        session = SigningSession(channel, store, phone.key_store.device_secret())
        await session.prepare(job)
        yield session
