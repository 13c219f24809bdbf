"""The Merkle tree of RFC 9162 §2.1: roots, inclusion and consistency proofs; pure.

Whole subtrees are named by level and index: (0, i) is leaf i, (l, i) covers leaves from i * 2^l up
to (i + 1) * 2^l. `Fetch` gives the hash of one; everything else follows from those.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from signer_core.errors import InvalidRequestError, VerificationError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()

Fetch = Callable[[int, int], bytes]


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash (32 bytes) of a leaf, RFC 9162 §2.1.1."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash (32 bytes) of two subtrees under one node, RFC 9162 §2.1.1."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of which only the whole subtrees at its right edge are kept, the largest first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()  # one a bit that is set in `size`

    def __post_init__(self) -> None:
        """Refuse a size that does not fit."""
        if self.size.bit_count() != len(self.hashes):
            raise InvalidRequestError("a tree of this size has another number of subtrees")

    def root(self) -> bytes:
        """Return the root of the tree (32 bytes)."""
        if not self.hashes:
            return EMPTY_ROOT
        *left, root = self.hashes
        for one in reversed(left):
            root = node_hash(one, root)
        return root

    def extended(
        self, leaf_hashes: Iterable[bytes], note: Callable[[int, int, bytes], None] | None = None
    ) -> "Frontier":
        """Return the tree with more leaves; `note` hears of each subtree that becomes whole."""
        size, stack = self.size, list(self.hashes)
        for hashed in leaf_hashes:
            level, whole = 0, hashed
            while size >> level & 1:
                whole = node_hash(stack.pop(), whole)
                level += 1
                if note is not None:
                    note(level, size >> level, whole)
            stack.append(whole)
            size += 1
        return Frontier(size, tuple(stack))


def range_root(fetch: Fetch, begin: int, end: int) -> bytes:
    """Return the hash of leaves `begin` to `end` (excluded) as one subtree, MTH of §2.1.1.

    `begin` is a multiple of the smallest power of two that is not below the number of leaves.
    """
    frontier: list[bytes] = []
    at = begin
    for level in range((end - begin).bit_length() - 1, -1, -1):
        if (end - begin) >> level & 1:
            frontier.append(fetch(level, at >> level))
            at += 1 << level
    return Frontier(end - begin, tuple(frontier)).root()


def inclusion_proof(fetch: Fetch, index: int, size: int) -> tuple[bytes, ...]:
    """Prove that leaf `index` is in the tree of `size` leaves (§2.1.3.1), nearest sibling first.

    Raises:
        InvalidRequestError: there is no such leaf in that tree.
    """
    if not 0 <= index < size:
        raise InvalidRequestError("there is no such leaf in a tree of this size")
    begin, end, path = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin = middle
    return tuple(range_root(fetch, *one) for one in reversed(path))


def consistency_proof(fetch: Fetch, old_size: int, size: int) -> tuple[bytes, ...]:
    """Prove that a tree of `old_size` leaves is the beginning of one of `size` (§2.1.4.1).

    Raises:
        InvalidRequestError: the sizes are the wrong way round, or negative.
    """
    if not 0 <= old_size <= size:
        raise InvalidRequestError("a tree only grows")
    if old_size in (0, size):
        return ()
    begin, end, whole, path = 0, size, True, []
    while end != old_size:
        middle = begin + _split(end - begin)
        if old_size <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((begin, middle))
            begin, whole = middle, False
    if not whole:
        path.append((begin, end))
    return tuple(range_root(fetch, *one) for one in reversed(path))


def verify_inclusion(
    leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check an inclusion proof of a leaf's hash, the steps of RFC 9162 §2.1.3.2.

    Raises:
        VerificationError: the leaf is not at that place in the tree of this root.
    """
    if not 0 <= index < size:  # 1
        raise VerificationError("there is no such leaf in a tree of this size")
    fn, sn, hashed = index, size - 1, leaf  # 2, 3
    for one in proof:  # 4
        if sn == 0:  # a
            raise VerificationError("the proof is too long")
        if fn & 1 or fn == sn:  # b
            hashed = node_hash(one, hashed)
            fn, sn = _up_to_right_child(fn, sn)
        else:
            hashed = node_hash(hashed, one)
        fn, sn = fn >> 1, sn >> 1  # c
    if sn != 0 or not compare_digest(hashed, root):  # 5
        raise VerificationError("the leaf is not in the tree of this root")


def verify_consistency(
    old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check a consistency proof, the steps of RFC 9162 §2.1.4.2.

    An empty old tree is the beginning of every tree, without a proof.

    Raises:
        VerificationError: the old tree is not the beginning of the new one.
    """
    if not 0 <= old_size <= size:
        raise VerificationError("the tree is smaller than an earlier one")
    if old_size in (0, size):
        expected = root if old_size else EMPTY_ROOT
        if proof or not compare_digest(old_root, expected):
            raise VerificationError("the tree is not the earlier one")
        return
    _verify_longer(old_size, size, (old_root, root), proof)


def _verify_longer(
    old_size: int, size: int, roots: tuple[bytes, bytes], proof: Sequence[bytes]
) -> None:
    if not proof:  # 1
        raise VerificationError("the proof is too short")
    path = list(proof)
    if old_size.bit_count() == 1:  # 2
        path.insert(0, roots[0])
    fn, sn = old_size - 1, size - 1  # 3
    while fn & 1:  # 4
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]  # 5
    for one in path[1:]:  # 6
        if sn == 0:  # a
            raise VerificationError("the proof is too long")
        if fn & 1 or fn == sn:  # b
            fr, sr = node_hash(one, fr), node_hash(one, sr)
            fn, sn = _up_to_right_child(fn, sn)
        else:
            sr = node_hash(sr, one)
        fn, sn = fn >> 1, sn >> 1  # c
    same = compare_digest(fr, roots[0]) and compare_digest(sr, roots[1])  # 7
    if sn != 0 or not same:
        raise VerificationError("the earlier tree is not the beginning of this one")


def _up_to_right_child(fn: int, sn: int) -> tuple[int, int]:
    while not fn & 1 and fn:
        fn, sn = fn >> 1, sn >> 1
    return fn, sn


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1
