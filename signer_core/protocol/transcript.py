"""Hashing of the protocols: one label a use, each part with its length (ecdsa2p.md §1)."""

import hashlib

from signer_core.errors import ProtocolAbortError

LABEL_PREFIX = "diia-signer/ecdsa2p/v1/"
Q = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # order of P-256, FIPS 186-5


def u32(value: int) -> bytes:
    """Encode a count, length or index: 4 bytes, big-endian.

    Raises:
        ProtocolAbortError: it is negative or does not fit.
    """
    try:
        return value.to_bytes(4, "big")
    except OverflowError:
        raise ProtocolAbortError("a number does not fit 4 bytes") from None


def ascii_bytes(word: str) -> bytes:
    """Encode a word.

    Raises:
        ProtocolAbortError: it is not ASCII.
    """
    try:
        return word.encode("ascii")
    except UnicodeEncodeError:
        raise ProtocolAbortError("a word is not ASCII") from None


def part(value: bytes) -> bytes:
    """Encode one part: its length (4 bytes), then its bytes."""
    return u32(len(value)) + value


def prefix(label: str, n: int) -> bytes:
    """Return what precedes the `n` parts in a hash under `label`."""
    return part((LABEL_PREFIX + label).encode("ascii")) + u32(n)


def h64(label: str, *parts: bytes) -> bytes:
    """H of the spec: SHA-512 (64 bytes) over the label, the number of parts, and the parts."""
    return hashlib.sha512(prefix(label, len(parts)) + b"".join(map(part, parts))).digest()


def h32(label: str, *parts: bytes) -> bytes:
    """H32 of the spec: the first 32 bytes of H."""
    return h64(label, *parts)[:32]


def hq(label: str, *parts: bytes) -> int:
    """Hq of the spec: the first 48 bytes of H as an integer mod q (bias below 2^-128)."""
    return int.from_bytes(h64(label, *parts)[:48], "big") % Q
