"""A signing session, step by step (docs/spec/ecdsa2p.md §3)."""

import asyncio
from dataclasses import replace

import structlog
from signer_core.identity.attestation import verify_attestation

from hsm_module.admission import verify_admitted
from hsm_module.context import VaultContext
from hsm_module.epochs import ShownEpoch, find_epoch
from hsm_module.judgement import Judgement
from hsm_module.key_transaction import OpenKey, key_transaction
from hsm_module.sessions.live import LiveSession
from hsm_module.sessions.opening import Admitted, admit
from hsm_module.sessions.steps import receive
from hsm_module.storage.rows import Event
from signer_core.errors import KeySuspendedError
from signer_core.identifiers import DeviceKeyHash, RequestId
from signer_core.ports import Channel, EpochAcked, KeyStatus
from signer_core.protocol.ecdsa2p.messages import (
    DeviceNonces,
    EpochAck,
    PartialSignatures,
    SignRequest,
)
from signer_core.protocol.ecdsa2p.vault.signing import VaultSigning

_log = structlog.get_logger(__name__)


class SigningSessions:
    """Runs signing sessions; each call of `run` is one, and nothing of it is kept."""

    def __init__(self, vault: VaultContext, judgement: Judgement) -> None:
        self._vault = vault
        self._judgement = judgement

    async def run(self, device: DeviceKeyHash, m: SignRequest, channel: Channel) -> None:
        """Run one session to its end, from its step 1.

        Raises:
            SignerError: the session is over; what it changed is what §3.1 counts.
        """
        admitted = await admit(self._vault, device, m)  # 1
        party = VaultSigning(admitted.share, self._vault.rng)
        await channel.send(await asyncio.to_thread(party.step2_commit, m))  # 2
        nonces = await receive(channel, DeviceNonces)  # 3
        self._verify_attestation(admitted, nonces)
        openings = await asyncio.to_thread(party.step4_open, nonces)
        session = await self._go_live(admitted, nonces, party)
        await channel.send(openings)  # 4
        partials = await receive(channel, PartialSignatures)  # 5
        await channel.send(await self._judgement.judge(session, partials))  # 6
        await self._acknowledge(session, await receive(channel, EpochAck))  # 7
        await channel.send(EpochAcked())

    def _verify_attestation(self, admitted: Admitted, nonces: DeviceNonces) -> None:
        vault = self._vault
        verify_attestation(
            nonces.attestation.decode("ascii", "replace"),
            vault.registrar_key,
            device_key_hash=admitted.key.device_key_hash,
            request_id=RequestId(admitted.message.request_id),
            now=vault.now(),
        )

    async def _go_live(
        self, admitted: Admitted, nonces: DeviceNonces, party: VaultSigning
    ) -> LiveSession:
        """Step 3's transaction: only now an older session of this key dies."""
        m = admitted.message
        shown = ShownEpoch(m.epoch, party.sid, nonces)
        async with key_transaction(self._vault.store, admitted.key.key_id) as key:
            verify_admitted(key.row, self._vault.policy, key.now_s)
            verdict = await find_epoch(self._vault.records, key.row, shown)
            if verdict is None:
                await _suspend(key)
            else:
                live = replace(key.row, live_sid=party.sid, epoch=verdict.state)
                await key.transaction.keys.save(live)
                if verdict.lost_reply:
                    event = Event("epoch", "lost-reply", key.row.key_id)
                    await key.transaction.record(event)
        if verdict is None:  # after the commit
            raise KeySuspendedError("a copy of this phone's data exists: the key is suspended")
        return LiveSession(
            sid=party.sid,
            key_id=admitted.key.key_id,
            request_id=RequestId(m.request_id),
            generation=m.generation,
            items=m.items,
            epoch=verdict.base,
            party=party,
        )

    async def _acknowledge(self, session: LiveSession, m: EpochAck) -> None:
        """Step 7: mark the epoch as shown; a wrong ack ends the session, nothing more."""
        new_key = session.party.next_epoch_key(session.epoch.key)
        session.party.step8_verify_ack(m, new_key)
        async with key_transaction(self._vault.store, session.key_id) as key:
            epoch = key.row.epoch
            if epoch.last_sid == session.sid and not epoch.shown:
                shown = replace(key.row, epoch=replace(epoch, shown=True))
                await key.transaction.keys.save(shown)


async def _suspend(key: OpenKey) -> None:
    """Suspend a key whose phone was copied (§5): never resumed, only enrolled again."""
    suspended = replace(key.row, status=KeyStatus.SUSPENDED, live_sid=None)
    await key.transaction.keys.save(suspended)
    await key.transaction.record(Event("key-suspended", "clone", key.row.key_id))
    await key.transaction.record(Event("notify-owner", "clone", key.row.key_id))
    _log.warning("key-suspended", key_id=key.row.key_id.hex(), reason="clone")
