"""Judgement: what the vault does at step 5 (docs/spec/ecdsa2p.md §3.1), numbered as there."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

import structlog

from hsm_module.admission import verify_admitted, verify_fresh, verify_open
from hsm_module.key_actions import act
from hsm_module.key_swap import change_key
from hsm_module.key_transaction import OpenKey, judged_transaction, retire
from hsm_module.sessions.live import LiveSession, LiveTransfer
from hsm_module.storage.known import Known
from hsm_module.storage.records import Records
from hsm_module.storage.rows import EpochState, Judging, KeyRow
from hsm_module.storage.store import Store
from hsm_module.storage.transaction import Transaction
from signer_core.audit.events import Event
from signer_core.errors import PinRejectedError, ProtocolAbortError, RetireShareError, SignerError
from signer_core.identifiers import KeyId
from signer_core.keys.pin_policy import PinPolicy
from signer_core.observe.metrics import PIN_VERDICTS
from signer_core.observe.spans import counted, for_items, on_thread, timed
from signer_core.ports import RequestState, SignedItem
from signer_core.protocol.ecdsa2p.messages import (
    CheckOpening,
    Item,
    PartialSignatures,
    Signature,
    Signatures,
    VaultOpening,
)
from signer_core.protocol.ecdsa2p.vault.signing import WrongPinError
from signer_core.protocol.ecdsa2p.verification import to_der

DEADLINE_S: Final = 60  # §3.1.1

T = TypeVar("T")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A success, committed."""

    reply: Signatures  # step 6
    items: tuple[SignedItem, ...]  # what was signed
    known: Known  # the key as it is now


class Judgement:
    """Judges the step 5 of every session of this process, and the row 7 of every transfer.

    Mutable: it holds the judgements under way, which outlive their streams.
    """

    def __init__(self, store: Store, records: Records, policy: PinPolicy, process: str) -> None:
        """Take the name of this process, made anew at every start (at most 64 characters)."""
        self._store = store
        self._records = records
        self._policy = policy
        self._process = process
        self._under_way: set[asyncio.Task[Any]] = set()

    @counted(PIN_VERDICTS)
    async def judge(self, session: LiveSession, m: PartialSignatures) -> Verdict:
        """Judge one step 5; return step 6 after its commit.

        A cancelled caller gets no answer, but the verdict stays.

        Raises:
            ProtocolAbortError: wrong form, or a newer session took over; nothing was counted. Or
                the judgement came too late; then the try stays counted.
            BusyError, KeyHeldError, KeyBlockedError, KeySuspendedError, InvalidRequestError:
                not admitted; nothing was counted.
            PinRejectedError: counted.
            RetireShareError: the key is retired.
        """
        session.party.step6_check_form(m)  # 0
        return await self._own(self._judge(session))

    async def judge_transfer(
        self, transfer: LiveTransfer, m: CheckOpening
    ) -> tuple[VaultOpening, int]:
        """Judge one row 7 (§8); return row 8 after its commit, with the version of the key's row.

        Raises as `judge`, but no PIN is rejected here.
        """
        transfer.party.step8_check_form(m)  # 0
        return await self._own(self._judge_transfer(transfer))

    async def _own(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a judgement as the key's, not the stream's (2)."""
        task = asyncio.create_task(self._settled(work))
        self._under_way.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def _settled(self, work: Coroutine[Any, Any, T]) -> T:
        """Let nobody hear of a verdict before its high-water mark is durable (7)."""
        try:
            return await work
        finally:
            await self._store.settle()

    async def finish_all(self) -> None:
        """Wait until every judgement under way has its verdict."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, SignerError):
            # the key stays "judging" and is counted as unresolved after its deadline
            _log.error("judgement-died", kind=type(error).__name__)

    async def _judge(self, session: LiveSession) -> Verdict:
        wrong_tries, known = await self._count(session, session.known)  # 1
        try:
            await for_items(len(session.items), session.party.verify_pin)  # 3
        except WrongPinError:
            raise await self._reject(session) from None
        try:
            signatures = await for_items(len(session.items), session.party.finish)  # 4
        except RetireShareError:
            await self._retire(session.key_id)
            raise
        items = tuple(map(_signed, session.items, signatures))
        known = await self._release(session, known, items)  # 5
        return Verdict(session.party.reply(wrong_tries), items, known)

    async def _judge_transfer(self, transfer: LiveTransfer) -> tuple[VaultOpening, int]:
        await self._count(transfer, None)  # 1
        try:
            answer = await on_thread(transfer.party.step8_judge)  # 4
        except RetireShareError:
            await self._retire(transfer.key_id)
            raise
        async with self._store.transaction() as transaction:  # 5
            row, _ = await transaction.keys.get(transfer.key_id)
            _check_own(row, transfer)
            row = await transaction.keys.save(_cleared(row))
            await transaction.record(Event(transfer.use, "transferred", row.key_id))
        return answer, row.row_version

    @timed("judge.count")
    async def _count(
        self, session: LiveSession | LiveTransfer, known: Known | None
    ) -> tuple[int, Known]:
        """§3.1.1: count the try before it is checked; return the wrong tries before it."""
        self._store.verify_audited()

        async def count(key: OpenKey) -> int:
            verify_admitted(key.row, self._policy, key.now_s, session.use)
            if isinstance(session, LiveSession):
                verify_fresh(key.row, session.generation.number, session.request_id, session.items)
            if key.row.live_sid != session.sid:
                raise ProtocolAbortError("a newer session of this key took over")
            if session.request_id is not None:
                request = await key.transaction.requests.get(session.request_id)
                verify_open(request, key.row, key.now_s)
                await key.transaction.requests.save(replace(request, state=RequestState.RESERVED))
            await key.transaction.keys.save(self._counted(key, session))
            return key.row.failed

        return await change_key(self._store, known, session.key_id, session.beside, count)

    def _counted(self, key: OpenKey, session: LiveSession | LiveTransfer) -> KeyRow:
        failed = key.row.failed + 1
        deadline_s = key.now_s + DEADLINE_S
        return replace(
            key.row,
            failed=failed,
            lifetime_failed=key.row.lifetime_failed + 1,
            hold_until_s=self._policy.hold_until_s(failed, key.now_s),
            judging=Judging(session.sid, self._process, session.request_id, deadline_s),
        )

    async def _reject(self, session: LiveSession) -> PinRejectedError:
        """§3.1.3: the try stays counted, the request opens again, the session is dead."""
        async with self._store.transaction() as transaction:
            row, _ = await transaction.keys.get(session.key_id, session.beside)
            _check_own(row, session)
            if session.request_id is not None:
                request = await transaction.requests.get(session.request_id)
                await transaction.requests.save(replace(request, state=RequestState.OPEN))
            await transaction.keys.save(replace(row, judging=None, live_sid=None))
            left = self._policy.attempts_left(row.failed, row.lifetime_failed)
            result = "pin-rejected" if left else "key-blocked"
            await transaction.record(Event(session.use, result, row.key_id, session.request_id))
        return PinRejectedError(left, row.hold_until_s)

    async def _retire(self, key_id: KeyId) -> None:
        """§3.1.4: always commits, however late."""
        async with self._store.transaction() as transaction:
            row, _ = await transaction.keys.get(key_id)
            await retire(transaction, row, "wrong-arithmetic")

    @timed("judge.release")
    async def _release(
        self, session: LiveSession, known: Known, items: tuple[SignedItem, ...]
    ) -> Known:
        """§3.1.5: the one commit before which no signature leaves the vault."""
        epoch, kek_id = await self._next_epoch(session)

        async def release(key: OpenKey) -> None:
            row, transaction = key.row, key.transaction
            _check_own(row, session)
            if row.next is not None and session.generation.number == row.next.number:
                await transaction.records.delete_share(row.key_id, row.current.number)  # §8
            succeeded = _succeeded(row, session, epoch, kek_id)
            await _consume(transaction, succeeded, session, items)
            await transaction.record(Event(session.use, "signed", row.key_id, session.request_id))

        _, known = await change_key(
            self._store, known, session.key_id, session.beside, release, judged_transaction
        )
        return known

    async def _next_epoch(self, session: LiveSession) -> tuple[EpochState, str]:
        """Return the epoch after this success, and the KEK that both its keys are under.

        The one its tag was under is the previous one.
        """
        records = self._records.pinned()
        base, number = session.epoch, session.generation.number
        new_key = session.party.next_epoch_key(base.key)
        previous = base.wrapped_key
        if session.generation.kek_id != records.kek_id:
            previous = await records.wrap("epoch-key", session.key_id, number, base.key)
        epoch = EpochState(
            number=base.number + 1,
            key=await records.wrap("epoch-key", session.key_id, number, new_key),
            previous_key=previous,
            last_sid=session.sid,
        )
        return epoch, records.kek_id


async def _consume(
    transaction: Transaction,
    row: KeyRow,
    session: LiveSession,
    items: tuple[SignedItem, ...],
) -> None:
    """Save the key's row, and use up the request, if there is one."""
    if session.request_id is None:
        await transaction.keys.save(row)
        return
    request = await transaction.requests.get(session.request_id)
    await transaction.requests.save(replace(request, state=RequestState.CONSUMED, items=items))
    await act(transaction, row, request)


def _check_own(row: KeyRow, session: LiveSession | LiveTransfer) -> None:
    """§3.1.6: a late success or wrong PIN commits only if the judgement is still its own."""
    if row.judging is None or row.judging.sid != session.sid:
        raise ProtocolAbortError("the judgement took too long: nothing was released")


def _signed(item: Item, signature: Signature) -> SignedItem:
    return SignedItem(item.kind, item.data, to_der(signature))


def _cleared(row: KeyRow) -> KeyRow:
    return replace(
        row,
        failed=0,
        hold_until_s=0,
        lifetime_failed=row.lifetime_failed - 1,  # this try was right
        judging=None,
        live_sid=None,
    )


def _succeeded(row: KeyRow, session: LiveSession, epoch: EpochState, kek_id: str) -> KeyRow:
    """§3.1.5; the first success under generation g + 1 erases g (§8).

    The hash of the share record is the row's: a rotation may have rewrapped the share meanwhile.
    """
    (now,) = [one for one in row.generations if one.number == session.generation.number]
    used = replace(now, epoch=epoch, kek_id=kek_id)
    row = replace(_cleared(row), signatures=row.signatures + len(session.items))
    if row.next is not None and used.number == row.next.number:
        return replace(row, current=used, next=None)
    return row.with_generation(used)
