"""Gilboa multiplication over seeds that were transferred once (docs/spec/ecdsa2p.md §1, §3).

The vault's factor is a random subset sum of the public gadget: `x1 = sum(g_i·b_i)`. The device
multiplies it by `kappa`: both end with summands, `alpha + beta = kappa·x1`.

Pads are kept unreduced (384 bits): the sums are reduced once, which gives the same value mod q.
Bits never branch or index: they enter as factors and masks. Python integers are not
constant-time all the same; docs/spec/ecdsa2p.md §9 says what follows.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from operator import add, mul

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.curve import SCALAR_BYTES, Scalar, scalar_to_bytes
from signer_core.protocol.oblivious_transfer import SEED_BYTES, XI
from signer_core.protocol.transcript import Q, hq, part, prefix, u32

BITS_BYTES = XI // 8  # 52
SEEDS_BYTES = XI * SEED_BYTES  # 6,656
GADGET = tuple(hq("gadget", u32(i)) for i in range(XI))
CHECK = b"check"  # context of the pads of the check; else the index of the digest, 4 bytes

_SEEDS = struct.Struct(f"{SEED_BYTES}s" * XI)
_INDEX_PARTS = tuple(part(u32(i)) + u32(SEED_BYTES) for i in range(XI))


def bits_of(encoded: bytes) -> tuple[int, ...]:
    """Return the 416 bits of `b`: bit i is bit `i mod 8` from the low end of byte `i div 8`."""
    return tuple((byte >> place) & 1 for byte in encoded for place in range(8))


def subset_sum(bits: Sequence[int]) -> Scalar:
    """Return `x1`, the sum of the gadget over the bits, mod q."""
    return weigh(bits)


def pads(sid: bytes, context: bytes, seeds: bytes) -> list[int]:
    """Return the 416 pads of one context, each 384 bits and to be reduced mod q.

    Written for speed: this is most of a signature's CPU on both sides.
    """
    sha512 = hashlib.sha512
    head = prefix("pad", 4) + part(sid) + part(context)
    blocks = zip(_INDEX_PARTS, _SEEDS.unpack(seeds), strict=True)
    digests = [sha512(head + index + seed).digest()[:48] for index, seed in blocks]
    return list(map(int.from_bytes, digests))  # big-endian is the default of Python 3.11


def weigh(values: Iterable[int]) -> Scalar:
    """Return `sum(g_i·value_i)` mod q."""
    return Scalar(sum(map(mul, GADGET, values)) % Q)


def correct(zeros: Sequence[int], ones: Sequence[int], kappa: int) -> tuple[bytes, ...]:
    """Return the corrections `c_i = t_i^0 - t_i^1 + kappa`, 32 bytes each."""
    return tuple(
        ((zero - one + kappa) % Q).to_bytes(32, "big")
        for zero, one in zip(zeros, ones, strict=True)
    )


def correct_chosen(
    chosen: Sequence[int], bits: Sequence[int], corrections: Sequence[int]
) -> Iterable[int]:
    """Return `t_i^{b_i} + b_i·c_i` for every i, unreduced."""
    return map(add, chosen, map(mul, bits, corrections))


def scalar_list(encoded: Sequence[bytes]) -> list[int]:
    """Decode 416 scalars below q.

    Raises:
        ProtocolAbortError: another count or size, or one is `>= q`.
    """
    if len(encoded) != XI or set(map(len, encoded)) != {SCALAR_BYTES}:
        raise ProtocolAbortError(f"expected {XI} scalars of 32 bytes")
    values = list(map(int.from_bytes, encoded))
    if max(values) >= Q:
        raise ProtocolAbortError("a scalar is not below the group order")
    return values


def encode_list(values: Iterable[int]) -> tuple[bytes, ...]:
    """Reduce scalars mod q and encode each as 32 bytes."""
    return tuple(scalar_to_bytes(value % Q) for value in values)
