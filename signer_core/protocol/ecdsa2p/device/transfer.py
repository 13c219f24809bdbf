"""The phone's side of the transfer to new shares, same Q (docs/spec/ecdsa2p.md §8).

Rows are numbered as in §2; the channel and its session `sid` are those of the n = 0 session before.
"""

import dataclasses
from typing import ClassVar

from signer_core.errors import Culprit, ProtocolAbortError
from signer_core.identifiers import SessionId
from signer_core.protocol.curve import Point, Rng, Scalar, base, scalar_from_bytes
from signer_core.protocol.ecdsa2p.device.consistency import DeviceConsistency
from signer_core.protocol.ecdsa2p.device.enrolment import DeviceEnrolled
from signer_core.protocol.ecdsa2p.device.share import DeviceShare
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
from signer_core.protocol.epoch import next_key
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.party import Party, step
from signer_core.protocol.transcript import Q


class DeviceTransfer(Party):
    """One transfer from a share to its next generation."""

    first_step: ClassVar[int] = 3
    peer: ClassVar[Culprit] = "vault"

    def __init__(self, share: DeviceShare, device_secret: bytes, sid: SessionId, rng: Rng) -> None:
        """Take the share in use and the sid of the session that proved the PIN."""
        super().__init__()
        self._share, self._rng = share, rng
        self._secret = device_secret  # the next generation has no seeds yet to hedge with, §1
        self._sid = transfer_sid(sid, share.generation + 1)
        self._transcript = Transcript("enrolled", TRANSFER_PARTS)

    @property
    def sid(self) -> SessionId:
        """The transfer's own session."""
        return self._sid

    @step(3)
    def step3_publish(self, m: RefreshDelta, x2: Scalar) -> TransferKey:
        """Take delta, before any correction is sent; compute X1' ourselves; prove a new key.

        Raises:
            ProtocolAbortError: delta is out of range, or makes a share zero.
        """
        self._x2 = Scalar((x2 + scalar_from_bytes(m.delta)) % Q)
        if self._x2 == 0:
            raise ProtocolAbortError("the new share is zero")
        self._vault_public = Point.from_bytes(self._share.public_key) - base(self._x2)
        nonces = NonceSource(self._secret, self._sid, self._rng)
        self._consistency = DeviceConsistency(self._sid, self._rng)
        reply = TransferKey(*self._consistency.row3_key(nonces))
        self._transcript.add(m, reply)
        return reply

    @step(5)
    def step5_correct(self, m: TransferPoints) -> CheckCorrections:
        """Derive the new seeds; raises as `DeviceConsistency.row5_correct`."""
        reply = self._consistency.row5_correct(m.transfer_points)
        self._transcript.add(m, reply)
        return reply

    @step(7)
    def step7_open_check(self, m: CheckCommitment) -> CheckOpening:
        """Open our inputs, now that the vault is committed to its own.

        Raises:
            ProtocolAbortError: the commitment has the wrong size.
        """
        reply = self._consistency.row7_open(m)
        self._transcript.add(m, reply)
        return reply

    @step(9)
    def step9_store(self, m: VaultOpening) -> DeviceEnrolled:
        """Check that the vault's bits are those of X1'; return what to store and what to send.

        Raises:
            ProtocolAbortError: B was not committed to, or the bits are others.
        """
        self._consistency.row8_verify(m, self._vault_public)
        self._transcript.add(m)
        confirmation = EnrolConfirmation(self._transcript.finish(self._share.public_key))
        share = dataclasses.replace(
            self._share,
            generation=self._share.generation + 1,
            zeros=self._consistency.zeros,
            ones=self._consistency.ones,
        )
        epoch_key = next_key(b"", m.epoch_seed, self._sid)
        enrolled = DeviceEnrolled(share, self._x2, epoch_key, confirmation)
        del self._x2, self._vault_public, self._consistency, self._secret, self._transcript
        return enrolled
