"""Judgement: what the vault does at step 5 (docs/spec/ecdsa2p.md §3.1), numbered as there."""

import asyncio
from dataclasses import replace
from typing import Final

import structlog

from hsm_module.admission import verify_admitted, verify_open
from hsm_module.key_transaction import OpenKey, key_transaction, retire
from hsm_module.sessions.live import LiveSession
from hsm_module.storage.records import Records
from hsm_module.storage.rows import EpochState, Event, Judging, KeyRow
from hsm_module.storage.store import Store
from signer_core.errors import PinRejectedError, ProtocolAbortError, RetireShareError, SignerError
from signer_core.keys.pin_policy import PinPolicy
from signer_core.ports import RequestState, SignedItem
from signer_core.protocol.ecdsa2p.messages import Item, PartialSignatures, Signature, Signatures
from signer_core.protocol.ecdsa2p.vault.signing import WrongPinError
from signer_core.protocol.ecdsa2p.verification import to_der

DEADLINE_S: Final = 60  # §3.1.1

_log = structlog.get_logger(__name__)


class Judgement:
    """Judges the step 5 of every session of this process.

    Mutable: it holds the judgements under way, which outlive their streams.
    """

    def __init__(self, store: Store, records: Records, policy: PinPolicy, process: str) -> None:
        """Take the name of this process, made anew at every start (at most 64 characters)."""
        self._store = store
        self._records = records
        self._policy = policy
        self._process = process
        self._under_way: set[asyncio.Task[Signatures]] = set()

    async def judge(self, session: LiveSession, m: PartialSignatures) -> Signatures:
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
        task = asyncio.create_task(self._judge(session))  # 2: it belongs to the key
        self._under_way.add(task)
        task.add_done_callback(self._forget)
        return await asyncio.shield(task)

    async def finish_all(self) -> None:
        """Wait until every judgement under way has its verdict."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _forget(self, task: asyncio.Task[Signatures]) -> None:
        self._under_way.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, SignerError):
            # the key stays "judging" and is counted as unresolved after its deadline
            _log.error("judgement-died", kind=type(error).__name__)

    async def _judge(self, session: LiveSession) -> Signatures:
        wrong_tries = await self._count(session)  # 1
        try:
            await asyncio.to_thread(session.party.verify_pin)  # 3
        except WrongPinError:
            raise await self._reject(session) from None
        try:
            signatures = await asyncio.to_thread(session.party.finish)  # 4
        except RetireShareError:
            await self._retire(session)
            raise
        await self._release(session, signatures)  # 5
        return session.party.reply(wrong_tries)

    async def _count(self, session: LiveSession) -> int:
        """§3.1.1: count the try before it is checked; return the wrong tries before it."""
        async with key_transaction(self._store, session.key_id) as key:
            verify_admitted(key.row, self._policy, key.now_s)
            if key.row.live_sid != session.sid:
                raise ProtocolAbortError("a newer session of this key took over")
            request = await key.transaction.requests.get(session.request_id)
            verify_open(request, key.row, key.now_s)
            await key.transaction.requests.save(replace(request, state=RequestState.RESERVED))
            await key.transaction.keys.save(self._counted(key, session))
        return key.row.failed

    def _counted(self, key: OpenKey, session: LiveSession) -> KeyRow:
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
            row, _ = await transaction.keys.get(session.key_id)
            _check_own(row, session)
            request = await transaction.requests.get(session.request_id)
            await transaction.requests.save(replace(request, state=RequestState.OPEN))
            await transaction.keys.save(replace(row, judging=None, live_sid=None))
            left = self._policy.attempts_left(row.failed, row.lifetime_failed)
            result = "pin-rejected" if left else "key-blocked"
            await transaction.record(Event("sign", result, row.key_id, request.request_id))
        return PinRejectedError(left, row.hold_until_s)

    async def _retire(self, session: LiveSession) -> None:
        """§3.1.4: always commits, however late."""
        async with self._store.transaction() as transaction:
            row, _ = await transaction.keys.get(session.key_id)
            await retire(transaction, row, "wrong-arithmetic")

    async def _release(self, session: LiveSession, signatures: tuple[Signature, ...]) -> None:
        """§3.1.5: the one commit before which no signature leaves the vault."""
        new_key = session.party.next_epoch_key(session.epoch.key)
        wrapped = await self._records.wrap("epoch-key", session.key_id, session.generation, new_key)
        async with self._store.transaction() as transaction:
            row, _ = await transaction.keys.get(session.key_id)
            _check_own(row, session)
            request = await transaction.requests.get(session.request_id)
            items = tuple(map(_signed, session.items, signatures))
            consumed = replace(request, state=RequestState.CONSUMED, items=items)
            await transaction.requests.save(consumed)
            await transaction.keys.save(_succeeded(row, session, wrapped))
            await transaction.record(Event("sign", "signed", row.key_id, request.request_id))


def _check_own(row: KeyRow, session: LiveSession) -> None:
    """§3.1.6: a late success or wrong PIN commits only if the judgement is still its own."""
    if row.judging is None or row.judging.sid != session.sid:
        raise ProtocolAbortError("the judgement took too long: nothing was released")


def _signed(item: Item, signature: Signature) -> SignedItem:
    return SignedItem(item.kind, item.data, to_der(signature))


def _succeeded(row: KeyRow, session: LiveSession, new_epoch_key: bytes) -> KeyRow:
    return replace(
        row,
        failed=0,
        hold_until_s=0,
        lifetime_failed=row.lifetime_failed - 1,  # this try was right
        judging=None,
        live_sid=None,
        signatures=row.signatures + len(session.items),
        epoch=EpochState(
            number=session.epoch.number + 1,
            key=new_epoch_key,
            previous_key=session.epoch.wrapped_key,
            last_sid=session.sid,
        ),
    )
