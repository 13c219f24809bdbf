"""A signing session, step by step (docs/spec/ecdsa2p.md §3)."""

from dataclasses import replace

from hsm_module.admission import TRANSFERS, verify_admitted
from hsm_module.context import VaultContext
from hsm_module.epochs import ShownEpoch, find_epoch, find_generation
from hsm_module.judgement import Judgement
from hsm_module.key_swap import change_key
from hsm_module.key_transaction import OpenKey, suspend
from hsm_module.sessions.live import EpochBase, LiveSession
from hsm_module.sessions.opening import Admitted, admit, copy_found
from hsm_module.sessions.steps import receive
from hsm_module.sessions.transfer import TransferSessions
from hsm_module.storage.known import Known
from hsm_module.storage.rows import EpochState, Generation
from signer_core.audit.events import Event
from signer_core.errors import BusyError
from signer_core.identifiers import DeviceKeyHash, RequestId
from signer_core.identity.attestation import verify_attestation
from signer_core.observe.spans import for_items, timed
from signer_core.ports import Channel, EpochAcked, TellConsumed
from signer_core.protocol.ecdsa2p.messages import (
    DeviceNonces,
    EpochAck,
    PartialSignatures,
    SignRequest,
)
from signer_core.protocol.ecdsa2p.vault.signing import VaultSigning


class SigningSessions:
    """Runs signing sessions; each call of `run` is one, and nothing of it is kept."""

    def __init__(self, vault: VaultContext, judgement: Judgement) -> None:
        self._vault = vault
        self._judgement = judgement
        self._transfers = TransferSessions(vault, judgement)

    async def run(
        self, device: DeviceKeyHash, m: SignRequest, channel: Channel, tell: TellConsumed
    ) -> None:
        """Run one session to its end, from its step 1; a refresh goes on with its transfer.

        `tell` is called when the session's request is consumed.

        Raises:
            SignerError: the session is over; what it changed is what §3.1 counts.
        """
        admitted = await admit(self._vault, device, m)  # 1
        party = VaultSigning(admitted.share, self._vault.rng)
        await channel.send(await for_items(len(m.items), party.step2_commit, m))  # 2
        nonces = await receive(channel, DeviceNonces)  # 3
        self._verify_attestation(admitted, nonces)
        openings = await for_items(len(m.items), party.step4_open, nonces)
        session = await self._go_live(admitted, nonces, party)
        await channel.send(openings)  # 4
        del nonces, openings  # 30 kB that nobody needs while the person reads
        partials = await receive(channel, PartialSignatures)  # 5
        verdict = await self._judgement.judge(session, partials)
        if session.request_id is not None:
            tell(session.request_id, verdict.items)
        await channel.send(verdict.reply)  # 6
        await self._acknowledge(session, verdict.known, await receive(channel, EpochAck))  # 7
        if m.use not in TRANSFERS:
            await channel.finish(EpochAcked())
        else:
            await channel.send(EpochAcked())
            await self._transfers.run(m.use, admitted.share, party.sid, channel)

    def _verify_attestation(self, admitted: Admitted, nonces: DeviceNonces) -> None:
        vault = self._vault
        verify_attestation(
            nonces.attestation.decode("ascii", "replace"),
            vault.registrar_key,
            device_key_hash=admitted.key.device_key_hash,
            request_id=RequestId(admitted.message.request_id or admitted.message.key_id),
            now=vault.now(),
        )

    @timed("sign.go_live")
    async def _go_live(
        self, admitted: Admitted, nonces: DeviceNonces, party: VaultSigning
    ) -> LiveSession:
        """Step 3's transaction: only now an older session of this key dies."""
        m = admitted.message
        shown = ShownEpoch(m.epoch, party.sid, nonces)
        request_id = RequestId(m.request_id) if m.request_id else None

        async def go_live(key: OpenKey) -> tuple[Generation, EpochBase] | None:
            verify_admitted(key.row, self._vault.policy, key.now_s, m.use)
            if key.row.certificate_sha256 != admitted.key.certificate_sha256:
                raise BusyError("the certificate was renewed just now: begin again")
            generation = find_generation(key.row, m.generation)
            verdict = None
            if generation is not None:
                verdict = await find_epoch(self._vault.records, key.row, generation, shown)
            if generation is None or verdict is None:
                await suspend(key.transaction, key.row, "clone")
                return None
            generation = replace(generation, epoch=verdict.state)
            live = replace(key.row.with_generation(generation), live_sid=party.sid)
            await key.transaction.keys.save(live)
            if verdict.audited is not None:
                event = Event("epoch", verdict.audited, key.row.key_id)
                await key.transaction.record(event)
            return generation, verdict.base

        found, known = await change_key(
            self._vault.store, admitted.known, admitted.key.key_id, None, go_live
        )
        if found is None:  # after the commit
            raise copy_found()
        generation, base = found
        return LiveSession(
            use=m.use,
            sid=party.sid,
            key_id=admitted.key.key_id,
            request_id=request_id,
            generation=generation,
            items=m.items,
            epoch=base,
            party=party,
            known=replace(known, request=admitted.known.request),
        )

    @timed("sign.acknowledge")
    async def _acknowledge(self, session: LiveSession, known: Known, m: EpochAck) -> None:
        """Step 7: mark the epoch as shown; a wrong ack ends the session, nothing more.

        After a restored backup the phone's epoch may be another: its ack is not judged.
        """
        if not session.epoch.judged:
            return
        new_key = session.party.next_epoch_key(session.epoch.key)
        session.party.step8_verify_ack(m, new_key)

        async def acknowledge(key: OpenKey) -> bool:
            generation = find_generation(key.row, session.generation.number)
            if generation is None or not is_unshown(generation.epoch, session.sid):
                return False
            # a later session came without showing this epoch: from a copy, by rule 2 of §5
            copied = key.row.live_sid is not None or key.row.judging is not None
            epoch = replace(generation.epoch, shown=True)
            row = key.row.with_generation(replace(generation, epoch=epoch))
            if copied:
                await suspend(key.transaction, row, "clone")
            else:
                await key.transaction.keys.save(row)
            return copied

        copied, _ = await change_key(self._vault.store, known, session.key_id, None, acknowledge)
        if copied:
            raise copy_found()


def is_unshown(epoch: EpochState, sid: bytes) -> bool:
    """Tell whether the epoch that session `sid` made is the current one, and was never shown."""
    return epoch.last_sid == sid and not epoch.shown
