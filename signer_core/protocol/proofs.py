"""Schnorr proofs of knowledge, bound to session, role, use and index (docs/spec/ecdsa2p.md §1)."""

from dataclasses import dataclass

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.commitment import Role
from signer_core.protocol.curve import (
    POINT_BYTES,
    Point,
    Scalar,
    base,
    scalar_from_bytes,
    scalar_to_bytes,
)
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.transcript import Q, hq, u32

PROOF_BYTES = 65  # A (33), z (32)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a proof is about: who proves which secret in which session."""

    sid: bytes  # 32 bytes
    role: Role  # the prover's
    what: str  # "x1", "x2", "y", "k1", "k2" or "pin"
    index: int = 0  # of the digest
    context: bytes = b""  # empty, or 32 bytes

    def challenge(self, public: Point, nonce: Point) -> int:
        """Return e, the hash that binds the proof to everything."""
        what, index = self.what.encode("ascii"), u32(self.index)
        points = (public.to_bytes(), nonce.to_bytes())
        return hq("pok", self.sid, self.role, what, index, self.context, *points)


def prove(statement: Statement, secret: Scalar, public: Point, nonces: NonceSource) -> bytes:
    """Prove knowledge of `secret` behind `public`; 65 bytes."""
    a = nonces.draw("pok-" + statement.what, statement.index)
    nonce = base(a)
    z = (a + statement.challenge(public, nonce) * secret) % Q
    return nonce.to_bytes() + scalar_to_bytes(z)


def verify(statement: Statement, public: Point, proof: bytes) -> None:
    """Check `z·G == A + e·X`.

    Raises:
        ProtocolAbortError: wrong size or encoding, or the equation does not hold.
    """
    if len(proof) != PROOF_BYTES:
        raise ProtocolAbortError("a proof is 65 bytes")
    nonce = Point.from_bytes(proof[:POINT_BYTES])
    z = scalar_from_bytes(proof[POINT_BYTES:])
    minus_e = -statement.challenge(public, nonce) % Q
    if public.plus_base(minus_e, z) != nonce:
        raise ProtocolAbortError("a proof of knowledge does not verify")
