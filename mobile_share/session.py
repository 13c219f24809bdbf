"""One session of the phone, from the share file to the new epoch (docs/spec/ecdsa2p.md §3)."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal, ParamSpec, TypeVar

from grpc_api.channel import DeviceChannel, EpochAcked, FromVault
from mobile_share.errors import DamagedFileError, ReplyLostError, UnansweredSessionsError
from mobile_share.phone import Phone
from mobile_share.pin import derive_factor, unmask_share
from mobile_share.ports import SignerClient
from mobile_share.share_file import ShareStatus, ShareStore, StoredShare
from mobile_share.vault_channel import open_vault
from mobile_share.weak_pins import verify_pin_form
from signer_core.errors import (
    KeySuspendedError,
    ProtocolAbortError,
    RetireShareError,
    UnavailableError,
    UnknownGenerationError,
)
from signer_core.identifiers import RequestId, SessionId
from signer_core.protocol.curve import Scalar
from signer_core.protocol.ecdsa2p.device.signing import DeviceSigned, DeviceSigning, EpochState
from signer_core.protocol.ecdsa2p.messages import (
    Item,
    Message,
    NonceCommitments,
    NonceOpenings,
    PartialSignatures,
    Signature,
    Signatures,
)
from signer_core.protocol.epoch import MAX_PENDING

M = TypeVar("M")
P = ParamSpec("P")
T = TypeVar("T")

INLINE: Final = 4  # signatures, each under 1 ms a step: a thread would cost a third of that

Use = Literal["sign", "refresh", "pin-change"]


@dataclass(frozen=True, slots=True)
class Job:
    """What one session is for."""

    request_id: RequestId  # or the key id, where the session is about the key itself
    request_hash: bytes  # 32 bytes, or empty: then there is no request, only a PIN to prove (§8)
    items: Sequence[Item]
    attestation: str = field(repr=False)  # of the photo check, at most 5 minutes old at step 3
    use: Use = "sign"

    @property
    def signed_id(self) -> bytes:
        """The request id of step 1: none without a request."""
        return self.request_id if self.request_hash else b""


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
        self._use: Use = "sign"
        self._is_batch = False
        self._x2: Scalar | None = None

    async def prepare(self, job: Job) -> None:
        """Run steps 1 to 4, while the person reads.

        Raises:
            SignerError: as the vault says; the session is over.
        """
        self._use, self._is_batch = job.use, len(job.items) > INLINE
        request = await self._run(
            self._party.step1_request, job.use, job.signed_id, job.request_hash, job.items
        )
        await self._channel.send(request)
        commitments = await self.receive(NonceCommitments)
        attestation = job.attestation.encode("ascii")
        answer = await self._run(self._party.step3_answer, commitments, attestation)
        await self._channel.send(answer)
        openings = await self.receive(NonceOpenings)
        await self._run(self._party.step5_check_openings, openings)

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
        partials = await self._run(self._party.step5_sign, x2)
        self._x2 = x2 if self._use != "sign" else None  # a transfer needs it, §8
        del x2, factor
        reply = await self._exchange_step5(partials)
        signed = await self._run(self._party.step7_verify, reply)
        self._store_epoch(signed)
        await self._acknowledge(signed)
        return Signed(signed.signatures, reply.wrong_tries)

    def take_x2(self) -> Scalar:
        """Return the unmasked share after `sign`, once: for the transfer that follows (§8).

        Raises:
            ProtocolAbortError: this session is for no transfer.
        """
        x2, self._x2 = self._x2, None
        if x2 is None:
            raise ProtocolAbortError("no transfer follows this session")
        return x2

    async def send(self, message: Message) -> None:
        """Send a message of the transfer that follows in the same channel."""
        await self._channel.send(message)

    async def receive(self, kind: type[M]) -> M:
        """Return the vault's next message, which must be of this kind.

        Raises:
            SignerError: as the vault says; what it says of the key is kept.
            ProtocolAbortError: it is another message, or the channel ended.
        """
        return expect(await self._next(), kind)

    @property
    def sid(self) -> SessionId:
        """The session, known after `prepare`."""
        return self._party.sid

    @property
    def stored(self) -> StoredShare:
        """The share in use, as it is stored now."""
        return self._stored

    def close_key(self, status: ShareStatus) -> None:
        """Erase the share for good; only on a word from inside the channel."""
        self._store.close(self._stored.closed(status))

    async def _run(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a step of the protocol; many signatures at once do not hold up everything else."""
        if self._is_batch:
            return await asyncio.to_thread(step, *args, **kwargs)
        return step(*args, **kwargs)

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
        self._store.erase_old()  # this was a success under the newest generation

    async def _acknowledge(self, signed: DeviceSigned) -> None:
        """Tell the vault that the epoch is stored; if that is lost, the next tag tells it."""
        with suppress(ProtocolAbortError, UnavailableError):
            await self._channel.send(signed.ack)
            await self.receive(EpochAcked)

    async def _next(self) -> FromVault:
        """Return the vault's next message; what it says of the key is kept for good."""
        try:
            return await self._channel.receive()
        except RetireShareError:
            self.close_key(ShareStatus.RETIRED)
            raise
        except KeySuspendedError:
            self.close_key(ShareStatus.SUSPENDED)
            raise
        except UnknownGenerationError:
            self._store.drop_next()  # the one in use stays, whatever the vault says of it
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
        RetireShareError, KeySuspendedError: the vault said so, inside the channel.
        UnansweredSessionsError: 64 sessions are pending.
    """
    stored = store.load()
    if stored.status is ShareStatus.RETIRED:
        raise RetireShareError("this phone's key was retired for ever: enrol again")
    if stored.status is ShareStatus.SUSPENDED:
        raise KeySuspendedError("this phone's key is suspended: it never signs again, enrol anew")
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

    After a refresh that broke off, the newer generation is tried first: the vault may know it
    already, and then the older one shown would look like a copy. One it does not know is dropped.

    Raises:
        as `load_usable`, `open_vault` and `SigningSession.prepare`.
    """
    store = phone.shares
    async with AsyncExitStack() as stack:
        tried = load_usable(store).share.generation
        try:
            session = await stack.enter_async_context(_open(phone, store, signer, job))
        except UnknownGenerationError:
            if load_usable(store).share.generation == tried:
                raise
            session = await stack.enter_async_context(_open(phone, store, signer, job))
        yield session


@asynccontextmanager
async def open_newest(
    phone: Phone, signer: SignerClient, job: Job
) -> AsyncIterator[SigningSession]:
    """Like `open_session`, with the newest generation only.

    Raises:
        UnknownGenerationError: the vault does not know it, and it is dropped here.
        as `open_session`.
    """
    async with _open(phone, phone.shares, signer, job) as session:
        yield session


@asynccontextmanager
async def _open(
    phone: Phone, store: ShareStore, signer: SignerClient, job: Job
) -> AsyncIterator[SigningSession]:
    stored = load_usable(store)
    if stored.share.device_key_hash != phone.key_store.device_key().key_hash:
        raise DamagedFileError("the share file belongs to another phone")
    async with open_vault(phone, signer, stored.share.key_id, job.request_id) as channel:
        session = SigningSession(channel, store, phone.key_store.device_secret())
        await session.prepare(job)
        yield session
