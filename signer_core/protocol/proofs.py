"""Schnorr proofs of knowledge, bound to session, role, use and index (docs/spec/ecdsa2p.md §1)."""

from dataclasses import dataclass, field

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


@dataclass(frozen=True, slots=True)
class UntrustedProof:
    """A proof of the right form that was not checked yet."""

    nonce: Point  # A
    z: Scalar = field(repr=False)


def prove(statement: Statement, secret: Scalar, public: Point, nonces: NonceSource) -> bytes:
    """Prove knowledge of `secret` behind `public`; 65 bytes."""
    a = nonces.draw("pok-" + statement.what, statement.index)
    nonce = base(a)
    z = (a + statement.challenge(public, nonce) * secret) % Q
    return nonce.to_bytes() + scalar_to_bytes(z)


def parse(proof: bytes) -> UntrustedProof:
    """Decode 65 bytes.

    Raises:
        ProtocolAbortError: another size, A is no point, or z is not below q.
    """
    if len(proof) != PROOF_BYTES:
        raise ProtocolAbortError("a proof is 65 bytes")
    z = scalar_from_bytes(proof[POINT_BYTES:])
    return UntrustedProof(Point.from_bytes(proof[:POINT_BYTES]), z)


def check(statement: Statement, public: Point, proof: UntrustedProof) -> None:
    """Check `z·G == A + e·X`.

    Raises:
        ProtocolAbortError: the equation does not hold.
    """
    minus_e = -statement.challenge(public, proof.nonce) % Q
    if public.plus_base(minus_e, proof.z) != proof.nonce:
        raise ProtocolAbortError("a proof of knowledge does not verify")


def verify(statement: Statement, public: Point, proof: bytes) -> None:
    """Parse and check a proof; raises as `parse` and `check`."""
    check(statement, public, parse(proof))
