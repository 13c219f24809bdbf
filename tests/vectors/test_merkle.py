"""Roots of the reference tree of Certificate Transparency's first implementation.

Source: google/certificate-transparency, `merkletree/merkle_tree_test.cc`: eight leaves and the root
after each; RFC 6962 and RFC 9162 hash alike. Inclusion paths of the same file.
"""

import pytest

from signer_core.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    range_root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
HASHES = [leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES]


def fetch(level: int, index: int) -> bytes:
    begin, end = index << level, (index + 1) << level
    return Frontier().extended(HASHES[begin:end]).root()


def test_the_empty_tree():
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 9))
def test_roots(size):
    assert Frontier().extended(HASHES[:size]).root().hex() == ROOTS[size - 1]
    assert range_root(fetch, 0, size).hex() == ROOTS[size - 1]


def test_the_path_of_the_sixth_leaf():
    path = [one.hex() for one in inclusion_proof(fetch, 5, 8)]
    assert path == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_every_proof_between_published_roots_verifies():
    for size in range(1, 9):
        for index in range(size):
            proof = inclusion_proof(fetch, index, size)
            verify_inclusion(HASHES[index], index, size, bytes.fromhex(ROOTS[size - 1]), proof)
            roots = [bytes.fromhex(ROOTS[n - 1]) for n in (index + 1, size)]
            proof = consistency_proof(fetch, index + 1, size)
            verify_consistency(index + 1, size, roots[0], roots[1], proof)
