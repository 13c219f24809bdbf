"""Our own vectors: unchanged, and right by a second route.

The second route is plain ECDSA with x = x1 + x2 and k = k1·k2, by `cryptography` and by the
textbook formula. Only here the two shares ever meet.
"""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scripts.make_vectors import CASES, enrolled, make, refreshed
from signer_core.protocol.ecdsa2p.verification import to_der
from signer_core.protocol.multiplication import bits_of, subset_sum
from signer_core.protocol.nonces import NonceSource
from signer_core.protocol.transcript import Q
from tests.fakes.ecdsa2p import Pair, Session, counted_rng

VECTORS = json.loads(Path(__file__).with_name("ecdsa2p-own.json").read_text())
GROUP_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture(scope="module")
def pair() -> Pair:
    return enrolled()[0]


def whole_key(pair: Pair) -> ec.EllipticCurvePrivateKey:
    """The key that exists nowhere else."""
    x = (subset_sum(bits_of(pair.vault.share.bits)) + pair.device.x2) % GROUP_ORDER
    return ec.derive_private_key(x, ec.SECP256R1())


def encoded(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def test_file_is_what_the_script_makes():
    assert make() == VECTORS


def test_shares_add_up_to_the_public_key(pair):
    assert encoded(whole_key(pair)) == pair.vault.share.public_key
    assert encoded(whole_key(refreshed(pair)[0])) == pair.vault.share.public_key


@pytest.mark.parametrize("name", CASES)
def test_signatures_are_those_of_plain_ecdsa(pair, name, monkeypatch):
    nonces: dict[str, int] = {}
    draw = NonceSource.draw

    def spy(source, what, index=0):
        nonces[f"{what}/{index}"] = draw(source, what, index)
        return nonces[f"{what}/{index}"]

    monkeypatch.setattr(NonceSource, "draw", spy)
    seed = name.encode("ascii")
    rngs = (counted_rng(b"device/" + seed), counted_rng(b"vault/" + seed))
    signatures = Session(pair, CASES[name], *rngs).run().signatures
    key = whole_key(pair)
    x = key.private_numbers().private_value
    assert len(signatures) == len(CASES[name].items)
    for j, (item, signature) in enumerate(zip(CASES[name].items, signatures, strict=True)):
        key.public_key().verify(to_der(signature), item.data, ec.ECDSA(SHA256()))
        k = nonces[f"k1/{j}"] * nonces[f"k2/{j}"] % GROUP_ORDER
        nonce_point = ec.derive_private_key(k, ec.SECP256R1()).public_key().public_numbers()
        r = nonce_point.x % GROUP_ORDER
        h = int.from_bytes(hashlib.sha256(item.data).digest(), "big")
        s = (h + r * x) * pow(k, -1, GROUP_ORDER) % GROUP_ORDER
        assert int.from_bytes(signature.r, "big") == r
        assert int.from_bytes(signature.s, "big") == min(s, GROUP_ORDER - s)


def test_order_is_that_of_the_curve():
    """FIPS 186-5; the code's own constant, checked by another implementation."""
    assert Q == GROUP_ORDER
    ec.derive_private_key(Q - 1, ec.SECP256R1())
    with pytest.raises(ValueError, match="out of range"):
        ec.derive_private_key(Q, ec.SECP256R1())
