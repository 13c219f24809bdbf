"""Hash commitments bound to session, role, use and index (docs/spec/ecdsa2p.md §1)."""

import hmac
from typing import Literal

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.transcript import h32, u32

Role = Literal[b"D", b"V"]
DEVICE: Role = b"D"
VAULT: Role = b"V"
NONCE_BYTES = 32


def commit(
    sid: bytes, role: Role, what: str, index: int, values: tuple[bytes, ...], nonce: bytes
) -> bytes:
    """Return the 32-byte commitment to `values` under a fresh 32-byte nonce."""
    return h32("commit", sid, role, what.encode("ascii"), u32(index), *values, nonce)


def verify_opening(commitment: bytes, expected: bytes) -> None:
    """Compare a commitment with the one recomputed from its opening, in constant time.

    Raises:
        ProtocolAbortError: they differ.
    """
    if not hmac.compare_digest(commitment, expected):
        raise ProtocolAbortError("a commitment does not open")
