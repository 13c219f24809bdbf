"""The vault's part for one digest of a batch (docs/spec/ecdsa2p.md §3)."""

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.commitment import DEVICE, NONCE_BYTES, VAULT, commit
from signer_core.protocol.curve import (
    Point,
    Rng,
    base,
    inverse,
    scalar_to_bytes,
)
from signer_core.protocol.ecdsa2p.messages import DeviceNonce, NonceOpening, Signature
from signer_core.protocol.ecdsa2p.session import LOW_S_MAX
from signer_core.protocol.multiplication import correct_chosen, pads, scalar_list, weigh
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.proofs import Statement, prove, verify
from signer_core.protocol.transcript import Q, u32


class VaultDigest:
    """Nonce share and product share of one digest. Mutable: a step at a time, used once."""

    def __init__(self, sid: bytes, index: int, nonces: NonceSource, rng: Rng) -> None:
        self._sid, self._index = sid, index
        self._k1 = nonces.draw("k1", index)
        public = base(self._k1)
        proof = prove(Statement(sid, VAULT, "k1", index), self._k1, public, nonces)
        self._opening = NonceOpening(public.to_bytes(), proof, rng(NONCE_BYTES))

    def step2_commit(self) -> bytes:
        """Return the commitment to R1 and its proof."""
        opening = self._opening
        values = (opening.nonce_share, opening.proof)
        return commit(self._sid, VAULT, "R1", self._index, values, opening.commitment_nonce)

    def step4_open(self, m: DeviceNonce, seeds: bytes, bits: tuple[int, ...]) -> NonceOpening:
        """Check the device's nonce share and compute r and beta, before the PIN is typed.

        Raises:
            ProtocolAbortError: a point, proof or correction is wrong, or r is zero.
        """
        nonce_share = Point.from_bytes(m.nonce_share)
        verify(Statement(self._sid, DEVICE, "k2", self._index), nonce_share, m.proof)
        corrections = scalar_list(m.corrections)
        self._r = (nonce_share * self._k1).x_mod_q()
        if self._r == 0:
            raise ProtocolAbortError("r is zero")
        chosen = pads(self._sid, u32(self._index), seeds)
        self._beta = weigh(correct_chosen(chosen, bits, corrections))
        self._inverse = inverse(self._k1)
        del self._k1
        return self._opening

    def step6_complete(self, sigma: bytes) -> Signature:
        """Return the signature, with the lower s, not yet verified; forget everything secret."""
        partial = int.from_bytes(sigma, "big") + self._r * self._beta
        s = partial * self._inverse % Q
        del self._beta, self._inverse
        return Signature(scalar_to_bytes(self._r), scalar_to_bytes(s if s <= LOW_S_MAX else Q - s))
