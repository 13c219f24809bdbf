"""The phone's part of rows 4 to 8: the seeds, and the check that the vault's bits are X1's.

Used by enrolment and by the transfer to new shares (docs/spec/ecdsa2p.md §2, §8).
"""

from collections.abc import Sequence

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.commitment import DEVICE, VAULT, commit, verify_opening
from signer_core.protocol.curve import Point, Rng, base, random_scalar, scalar_to_bytes
from signer_core.protocol.ecdsa2p.messages import (
    CheckCommitment,
    CheckCorrections,
    CheckOpening,
    VaultOpening,
)
from signer_core.protocol.ecdsa2p.session import HASH_BYTES, check_sizes
from signer_core.protocol.multiplication import CHECK, correct, encode_list, pads, weigh
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.oblivious_transfer import derive, make_key
from signer_core.protocol.proofs import Statement, prove
from signer_core.protocol.transcript import Q


class DeviceConsistency:
    """Both seeds of every transfer and the check. Mutable: it grows by a row a step, used once."""

    def __init__(self, sid: bytes, rng: Rng) -> None:
        self._sid, self._rng = sid, rng

    def row3_key(self, nonces: NonceSource) -> tuple[bytes, bytes]:
        """Return S (33 bytes) and its proof (65 bytes)."""
        self._y, self._key = make_key(self._rng)
        statement = Statement(self._sid, DEVICE, "y")
        return self._key.to_bytes(), prove(statement, self._y, self._key, nonces)

    def row5_correct(self, choices: Sequence[bytes]) -> CheckCorrections:
        """Derive both seeds of every transfer, then answer with the corrections under kappa.

        Raises:
            ProtocolAbortError: a choice is no valid point, or one gives infinity.
        """
        self.zeros, self.ones = derive(self._sid, self._y, self._key, choices)
        del self._y
        self._kappa = random_scalar(self._rng)
        self._pads = pads(self._sid, CHECK, self.zeros)
        ones = pads(self._sid, CHECK, self.ones)
        return CheckCorrections(correct(self._pads, ones, self._kappa))

    def row7_open(self, m: CheckCommitment) -> CheckOpening:
        """Keep the vault's commitment, then open our inputs."""
        check_sizes(HASH_BYTES, m.commitment)
        self._commitment = m.commitment
        return CheckOpening(scalar_to_bytes(self._kappa), encode_list(self._pads))

    def row8_verify(self, m: VaultOpening, vault_public: Point) -> None:
        """Check `alpha·G + B == kappa·X1`: the transferred bits are those of X1.

        Raises:
            ProtocolAbortError: B is not what was committed to, or the bits are others.
        """
        check_sizes(HASH_BYTES, m.commitment_nonce, m.epoch_seed)
        opened = commit(self._sid, VAULT, "B", 0, (m.check_point,), m.commitment_nonce)
        verify_opening(self._commitment, opened)
        alpha = -weigh(self._pads) % Q
        if base(alpha) + Point.from_bytes(m.check_point) != vault_public * self._kappa:
            raise ProtocolAbortError("the vault's bits are not those of its public share")
