"""The vault's part of rows 4 to 8: choose, and prove its bits to be those of X1.

Used by enrolment and by the transfer to new shares (docs/spec/ecdsa2p.md §2, §8).
"""

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.commitment import NONCE_BYTES, VAULT, commit
from signer_core.protocol.curve import Point, Rng, Scalar, base, nonzero_from_bytes
from signer_core.protocol.ecdsa2p.messages import (
    CheckCommitment,
    CheckCorrections,
    CheckOpening,
    VaultOpening,
)
from signer_core.protocol.epoch import SEED_BYTES
from signer_core.protocol.multiplication import (
    CHECK,
    bits_of,
    correct_chosen,
    pads,
    scalar_list,
    weigh,
)
from signer_core.protocol.oblivious_transfer import choose
from signer_core.protocol.transcript import Q


class VaultConsistency:
    """Chosen seeds and the check over them. Mutable: it grows by a row a step, and is used once."""

    def __init__(self, sid: bytes, encoded_bits: bytes, rng: Rng) -> None:
        self._sid, self._bits, self._rng = sid, bits_of(encoded_bits), rng

    def row4_choose(self, transfer_key: Point) -> tuple[bytes, ...]:
        """Return R_0..R_415 (33 bytes each)."""
        choices, self.seeds = choose(self._sid, transfer_key, self._bits, self._rng)
        return choices

    def row6_commit(self, m: CheckCorrections) -> CheckCommitment:
        """Commit to `B = beta·G`, before kappa is known: a wrong x1 passes with chance 1/q.

        Raises:
            ProtocolAbortError: a correction is not below q; no bit was used before that.
        """
        self._corrections = scalar_list(m.corrections)
        self._pads = pads(self._sid, CHECK, self.seeds)
        self._point = base(weigh(correct_chosen(self._pads, self._bits, self._corrections)))
        self._nonce = self._rng(NONCE_BYTES)
        return CheckCommitment(
            commit(self._sid, VAULT, "B", 0, (self._point.to_bytes(),), self._nonce)
        )

    def row7_parse(self, m: CheckOpening) -> tuple[Scalar, list[int]]:
        """Return kappa and the opened pads.

        Raises:
            ProtocolAbortError: sizes or ranges are wrong.
        """
        return nonzero_from_bytes(m.kappa), scalar_list(m.pads)

    def row7_verify(self, kappa: Scalar, opened: list[int]) -> None:
        """Compare the device's pads with our own, all 416 before reacting.

        Raises:
            ProtocolAbortError: one or more differ; which ones, nothing tells.
        """
        rows = zip(self._pads, self._bits, self._corrections, opened, strict=True)
        wrong = 0
        for pad, bit, c, zero in rows:
            wrong |= (zero + bit * (kappa - c) - pad) % Q
        if wrong:
            raise ProtocolAbortError("the device's pads are inconsistent")

    def row8_open(self) -> VaultOpening:
        """Return the opening of B with the seed of epoch 0."""
        return VaultOpening(self._point.to_bytes(), self._nonce, self._rng(SEED_BYTES))
