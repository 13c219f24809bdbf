"""Hedged nonces (docs/spec/ecdsa2p.md §1): a weak random source alone gives no key away."""

import hashlib

from signer_core.protocol.curve import Rng, Scalar
from signer_core.protocol.transcript import Q, part, prefix, u32

_FRESH_BYTES = 64


class NonceSource:
    """Makes the secret nonces of one party in one session.

    The party's long-term secrets (up to 13 kB) are hashed once, their state copied for each nonce.
    """

    __slots__ = ("_rng", "_state")

    def __init__(self, secrets: bytes, sid: bytes, rng: Rng) -> None:
        self._rng = rng
        self._state = hashlib.sha512(prefix("nonce", 5) + part(secrets) + part(sid))

    def draw(self, what: str, index: int = 0) -> Scalar:
        """Return a nonce for `what`: 64 fresh random bytes hashed with the secrets, mod q."""
        state = self._state.copy()
        state.update(part(what.encode("ascii")) + part(u32(index)) + part(self._rng(_FRESH_BYTES)))
        return Scalar(int.from_bytes(state.digest()[:48], "big") % Q)
