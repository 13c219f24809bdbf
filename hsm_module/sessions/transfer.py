"""The transfer to new shares with the same Q, row by row (docs/spec/ecdsa2p.md §8)."""

import hashlib
from dataclasses import replace

from hsm_module.admission import verify_admitted
from hsm_module.context import VaultContext
from hsm_module.judgement import Judgement
from hsm_module.key_transaction import key_transaction
from hsm_module.sessions.live import LiveTransfer
from hsm_module.sessions.steps import receive
from hsm_module.storage.rows import EpochState, Generation, KeyRow
from signer_core.audit.events import Event
from signer_core.errors import ProtocolAbortError
from signer_core.identifiers import SessionId
from signer_core.observe.spans import on_thread
from signer_core.ports import Channel, Enrolled, KeyStatus
from signer_core.protocol.ecdsa2p.messages import (
    CheckCorrections,
    CheckOpening,
    EnrolConfirmation,
    TransferKey,
)
from signer_core.protocol.ecdsa2p.vault.enrolment import VaultEnrolled
from signer_core.protocol.ecdsa2p.vault.share import VaultShare
from signer_core.protocol.ecdsa2p.vault.transfer import VaultTransfer


class TransferSessions:
    """Runs transfers; each call of `run` is one, and nothing of it is kept."""

    def __init__(self, vault: VaultContext, judgement: Judgement) -> None:
        self._vault = vault
        self._judgement = judgement

    async def run(self, use: str, share: VaultShare, sid: SessionId, channel: Channel) -> None:
        """Run one transfer, in the channel of the session `sid` that proved the PIN.

        Raises:
            SignerError: it is over; the share in use stays in use, unless the key was retired.
        """
        party = VaultTransfer(share, sid, self._vault.rng)
        transfer = LiveTransfer(use, share, party)
        await self._go_live(transfer)
        await channel.send(await on_thread(party.step2_shift))
        key = await receive(channel, TransferKey)
        await channel.send(await on_thread(party.step4_choose, key))
        corrections = await receive(channel, CheckCorrections)
        await channel.send(await on_thread(party.step6_commit_check, corrections))
        opening = await receive(channel, CheckOpening)
        answer, version = await self._judgement.judge_transfer(transfer, opening)
        await channel.send(answer)
        confirmation = await receive(channel, EnrolConfirmation)
        await self._store(use, party.step10_finish(confirmation), version)
        await channel.finish(Enrolled())

    async def _go_live(self, transfer: LiveTransfer) -> None:
        """Before row 2: only now an older session of this key dies."""
        async with key_transaction(self._vault.store, transfer.key_id) as key:
            verify_admitted(key.row, self._vault.policy, key.now_s, transfer.use)
            if key.row.current.number != transfer.share.generation:
                raise ProtocolAbortError("the share in use changed meanwhile: start again")
            await key.transaction.keys.save(replace(key.row, live_sid=transfer.sid))

    async def _store(self, use: str, made: VaultEnrolled, version: int) -> None:
        """Store generation g + 1 beside g, in the row as the judgement of row 7 left it.

        Raises:
            ProtocolAbortError: the key was used since: this row 9 comes too late.
        """
        generation, blob = await self._wrap(made)
        key_id, number = made.share.key_id, generation.number
        async with key_transaction(self._vault.store, key_id) as key:
            if key.row.row_version != version:
                raise ProtocolAbortError("the key was used meanwhile: start again")
            await key.transaction.records.delete_share(key_id, number)  # never used, see §8
            kek_id = generation.kek_id
            await key.transaction.records.insert_share(key_id, number, kek_id, blob)
            await key.transaction.keys.save(_renewed(key.row, generation))
            await key.transaction.record(Event(use, "stored", key_id))
            if key.row.status is KeyStatus.RESTORED:
                await key.transaction.record(Event("key-restored", "active", key_id))

    async def _wrap(self, made: VaultEnrolled) -> tuple[Generation, bytes]:
        share, records = made.share, self._vault.records.pinned()
        number = share.generation
        blob = await records.wrap("share", share.key_id, number, share.to_bytes())
        epoch_key = await records.wrap("epoch-key", share.key_id, number, made.epoch_key)
        share_sha256 = hashlib.sha256(blob).digest()
        epoch = EpochState(number=0, key=epoch_key)
        return Generation(number, share_sha256, records.kek_id, epoch), blob


def _renewed(row: KeyRow, generation: Generation) -> KeyRow:
    restored = row.status is KeyStatus.RESTORED
    return replace(row, next=generation, status=KeyStatus.ACTIVE if restored else row.status)
