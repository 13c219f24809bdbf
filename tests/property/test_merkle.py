"""The tree against the definition of RFC 9162 §2.1, written out, and any change of a proof."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer_core.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from signer_core.errors import InvalidRequestError, VerificationError

LEAVES = [leaf_hash(index.to_bytes(4, "big")) for index in range(300)]


def split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def naive_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], whole) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def fetch(level: int, index: int) -> bytes:
    return naive_root(LEAVES[index << level : (index + 1) << level])


def root(size: int) -> bytes:
    return Frontier().extended(LEAVES[:size]).root()


sizes = st.integers(1, 300)


@given(size=st.integers(0, 300), cut=st.integers(0, 300))
def test_root_is_that_of_the_definition_however_it_grew(size, cut):
    grown = Frontier().extended(LEAVES[: min(cut, size)]).extended(LEAVES[min(cut, size) : size])
    assert (grown.size, grown.root()) == (size, naive_root(LEAVES[:size]))


@given(size=sizes, data=st.data())
def test_inclusion_is_that_of_the_definition_and_verifies(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(fetch, index, size)
    assert list(proof) == naive_path(index, LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, root(size), proof)


@given(size=sizes, data=st.data())
def test_consistency_is_that_of_the_definition_and_verifies(size, data):
    old = data.draw(st.integers(1, size))
    proof = consistency_proof(fetch, old, size)
    assert list(proof) == naive_subproof(old, LEAVES[:size], True)
    verify_consistency(old, size, root(old), root(size), proof)


@settings(max_examples=300)
@given(size=sizes, data=st.data())
def test_no_other_leaf_place_or_proof_verifies(size, data):
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(fetch, index, size)
    other = data.draw(st.integers(0, 299))
    wrong = changed(data, proof)
    with pytest.raises(VerificationError):
        verify_inclusion(LEAVES[index], index, size, root(size), wrong)
    if other != index:
        with pytest.raises(VerificationError):
            verify_inclusion(LEAVES[other], index, size, root(size), proof)
        with pytest.raises(VerificationError):
            verify_inclusion(LEAVES[index], other, size, root(size), proof)


@settings(max_examples=300)
@given(size=st.integers(2, 300), data=st.data())
def test_no_other_history_verifies(size, data):
    old = data.draw(st.integers(1, size - 1))
    proof = consistency_proof(fetch, old, size)
    forged = list(LEAVES[:old])
    forged[data.draw(st.integers(0, old - 1))] = leaf_hash(b"forged")
    forged_root = naive_root(forged)
    with pytest.raises(VerificationError):
        verify_consistency(old, size, forged_root, root(size), proof)
    with pytest.raises(VerificationError):
        verify_consistency(old, size, root(old), root(size), changed(data, proof))
    with pytest.raises(VerificationError):
        verify_consistency(size, old, root(size), root(old), proof)


def changed(data, proof):
    """Draw a proof that differs: a bit, one more, one less, another order."""
    proof = list(proof)
    kind = data.draw(st.sampled_from(["more", "bit", "less"]))
    if kind == "more" or not proof:
        return [*proof, data.draw(st.sampled_from([EMPTY_ROOT, LEAVES[0]]))]
    place = data.draw(st.integers(0, len(proof) - 1))
    if kind == "less":
        return proof[:place] + proof[place + 1 :]
    bit = data.draw(st.integers(0, 255))
    proof[place] = (int.from_bytes(proof[place], "big") ^ (1 << bit)).to_bytes(32, "big")
    return proof


@pytest.mark.parametrize("size", [-1, 0, 5, 6])
def test_there_is_no_proof_of_what_is_not_there(size):
    with pytest.raises(InvalidRequestError):
        inclusion_proof(fetch, size, 5 if size > 0 else 0)
    with pytest.raises(InvalidRequestError):
        consistency_proof(fetch, 7, size)


def test_the_same_size_has_the_same_root():
    with pytest.raises(VerificationError):
        verify_consistency(4, 4, root(4), root(5), ())
    with pytest.raises(VerificationError):
        verify_consistency(0, 4, root(1), root(4), ())
    verify_consistency(0, 4, EMPTY_ROOT, root(4), ())
