"""The vault's side of the transfer to new shares, same Q (docs/spec/ecdsa2p.md §8).

Rows are numbered as in §2; the channel and its session `sid` are those of the n = 0 session before.
"""

import dataclasses
import hmac
from typing import ClassVar

from signer_core.errors import Culprit, ProtocolAbortError, RetireShareError
from signer_core.identifiers import SessionId
from signer_core.protocol.commitment import DEVICE
from signer_core.protocol.curve import Point, Rng, Scalar, base, scalar_to_bytes
from signer_core.protocol.ecdsa2p.messages import (
    CheckCommitment,
    CheckCorrections,
    CheckOpening,
    EnrolConfirmation,
    RefreshDelta,
    TransferKey,
    TransferPoints,
    VaultOpening,
)
from signer_core.protocol.ecdsa2p.session import TRANSFER_PARTS, Transcript, transfer_sid
from signer_core.protocol.ecdsa2p.vault.consistency import VaultConsistency
from signer_core.protocol.ecdsa2p.vault.enrolment import VaultEnrolled, draw_bits
from signer_core.protocol.ecdsa2p.vault.share import VaultShare
from signer_core.protocol.epoch import next_key
from signer_core.protocol.multiplication import bits_of, subset_sum
from signer_core.protocol.party import Party, step
from signer_core.protocol.proofs import Statement, verify
from signer_core.protocol.transcript import Q


class VaultTransfer(Party):
    """One transfer from a share to its next generation."""

    first_step: ClassVar[int] = 2
    peer: ClassVar[Culprit] = "device"

    def __init__(self, share: VaultShare, sid: SessionId, rng: Rng) -> None:
        """Take the share in use and the sid of the session that proved the PIN."""
        super().__init__()
        self._share, self._rng = share, rng
        self._sid = transfer_sid(sid, share.generation + 1)
        self._transcript = Transcript("enrolled", TRANSFER_PARTS)

    @property
    def sid(self) -> SessionId:
        """The transfer's own session."""
        return self._sid

    @step(2)
    def step2_shift(self) -> RefreshDelta:
        """Draw a new b; return delta = x1 - x1', before anything of the new seeds is fixed."""
        x1 = subset_sum(bits_of(self._share.bits))
        public = Point.from_bytes(self._share.device_public)
        self._bits, new_x1 = draw_bits(self._rng, lambda new: _keeps_share(public, x1 - new))
        delta = (x1 - new_x1) % Q
        self._device_public = public.plus_base(1, delta)
        reply = RefreshDelta(scalar_to_bytes(delta))
        self._transcript.add(reply)
        return reply

    @step(4)
    def step4_choose(self, m: TransferKey) -> TransferPoints:
        """Check the device's key and choose our side of the transfers.

        Raises:
            ProtocolAbortError: the point or its proof is wrong.
        """
        transfer_key = Point.from_bytes(m.transfer_key)
        verify(Statement(self._sid, DEVICE, "y"), transfer_key, m.transfer_key_proof)
        self._consistency = VaultConsistency(self._sid, self._bits, self._rng)
        reply = TransferPoints(self._consistency.row4_choose(transfer_key))
        self._transcript.add(m, reply)
        return reply

    @step(6)
    def step6_commit_check(self, m: CheckCorrections) -> CheckCommitment:
        """Commit to our side of the check; raises as `VaultConsistency.row6_commit`."""
        reply = self._consistency.row6_commit(m)
        self._transcript.add(m, reply)
        return reply

    @step(8, part=1, parts=2)
    def step8_check_form(self, m: CheckOpening) -> None:
        """Check the form of row 7, before anything is counted.

        Raises:
            ProtocolAbortError: sizes or ranges are wrong.
        """
        self._opened = self._consistency.row7_parse(m)
        self._transcript.add(m)

    @step(8, part=2, parts=2)
    def step8_judge(self) -> VaultOpening:
        """Compare the device's inputs with ours, after the try was counted and committed.

        Raises:
            RetireShareError: they differ: retire the key for ever.
        """
        try:
            self._consistency.row7_verify(*self._opened)
        except ProtocolAbortError:
            raise RetireShareError("the arithmetic of the transfer was wrong") from None
        reply = self._consistency.row8_open()
        self._epoch_seed = reply.epoch_seed
        self._transcript.add(reply)
        return reply

    @step(10)
    def step10_finish(self, m: EnrolConfirmation) -> VaultEnrolled:
        """Return the share of the next generation, to be stored beside the one in use.

        Raises:
            ProtocolAbortError: the device saw other messages.
        """
        if not hmac.compare_digest(self._transcript.finish(self._share.public_key), m.digest):
            raise ProtocolAbortError("the device confirms another transfer")
        share = dataclasses.replace(
            self._share,
            generation=self._share.generation + 1,
            device_public=self._device_public.to_bytes(),
            bits=self._bits,
            seeds=self._consistency.seeds,
        )
        return VaultEnrolled(share, next_key(b"", self._epoch_seed, self._sid))


def _keeps_share(device_public: Point, delta: int) -> bool:
    """Tell whether `X2 + delta·G` is a usable public share: not infinity."""
    return device_public != base(Scalar(-delta % Q)) if delta % Q else True
