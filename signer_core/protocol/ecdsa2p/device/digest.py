"""The phone's part for one digest of a batch (docs/spec/ecdsa2p.md §3)."""

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.commitment import DEVICE, VAULT, commit, verify_opening
from signer_core.protocol.curve import Point, Scalar, base, inverse, scalar_to_bytes
from signer_core.protocol.ecdsa2p.device.share import DeviceShare
from signer_core.protocol.ecdsa2p.messages import DeviceNonce, NonceOpening
from signer_core.protocol.ecdsa2p.session import HASH_BYTES, check_sizes
from signer_core.protocol.multiplication import correct, pads, weigh
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.proofs import Statement, prove, verify
from signer_core.protocol.transcript import Q, u32


class DeviceDigest:
    """Nonce share and product share of one digest. Mutable: a step at a time, used once."""

    def __init__(self, sid: bytes, index: int, commitment: bytes) -> None:
        self._sid, self._index, self._commitment = sid, index, commitment

    def step3_answer(self, share: DeviceShare, nonces: NonceSource) -> DeviceNonce:
        """Draw k2; correct the pads to kappa = 1/k2; sum ours up to alpha."""
        self._k2 = nonces.draw("k2", self._index)
        public = base(self._k2)
        statement = Statement(self._sid, DEVICE, "k2", self._index)
        proof = prove(statement, self._k2, public, nonces)
        self._kappa = inverse(self._k2)
        context = u32(self._index)
        zeros = pads(self._sid, context, share.zeros)
        corrections = correct(zeros, pads(self._sid, context, share.ones), self._kappa)
        self._alpha = Scalar(-weigh(zeros) % Q)
        return DeviceNonce(public.to_bytes(), proof, corrections)

    def step5_check(self, m: NonceOpening) -> None:
        """Check the vault's opening and proof, and compute r.

        Raises:
            ProtocolAbortError: the commitment does not open, the proof is wrong, or r is zero.
        """
        check_sizes(HASH_BYTES, m.commitment_nonce)
        values = (m.nonce_share, m.proof)
        opened = commit(self._sid, VAULT, "R1", self._index, values, m.commitment_nonce)
        verify_opening(self._commitment, opened)
        nonce_share = Point.from_bytes(m.nonce_share)
        verify(Statement(self._sid, VAULT, "k1", self._index), nonce_share, m.proof)
        self._r = (nonce_share * self._k2).x_mod_q()
        if self._r == 0:
            raise ProtocolAbortError("r is zero")
        del self._k2

    def step5_sign(self, h: int, x2: Scalar) -> bytes:
        """Return sigma (32 bytes) and forget what made it."""
        sigma = (self._kappa * (h + self._r * x2) + self._r * self._alpha) % Q
        del self._kappa, self._alpha
        return scalar_to_bytes(sigma)
