"""Points and scalars of P-256, against `cryptography` as the second implementation."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer_core.errors import ProtocolAbortError
from signer_core.protocol.curve import (
    Point,
    base,
    inverse,
    nonzero_from_bytes,
    random_scalar,
    scalar_from_bytes,
    scalar_to_bytes,
)
from signer_core.protocol.transcript import Q
from tests.fakes.ecdsa2p import counted_rng
from tests.fakes.tampering import BAD_POINTS


def public(k: int) -> bytes:
    """k·G by `cryptography`."""
    key = ec.derive_private_key(k, ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


@pytest.mark.parametrize("k", [1, 2, 3, 2**128, Q // 2, Q - 2, Q - 1])
def test_base_multiples_are_those_of_another_implementation(k):
    assert base(k).to_bytes() == public(k)


def test_arithmetic_is_that_of_the_group():
    a, b = random_scalar(counted_rng(b"a")), random_scalar(counted_rng(b"b"))
    assert base(a) + base(b) == base((a + b) % Q)
    assert base(a) - base(b) == base((a - b) % Q)
    assert base(a) * b == base(a * b % Q)
    assert base(a).plus_base(b, 7) == base((a * b + 7) % Q)
    assert base(a) * inverse(a) == base(1)
    assert base(a) + base(a) == base(2 * a % Q)
    assert hash(base(a) + base(b)) == hash(base((a + b) % Q))


def test_choice_scalar_of_equal_length_is_the_bit():
    key = base(5)
    assert key.plus_base(Q, 9) == base(9)
    assert key.plus_base(Q + 1, 9) == base(14)


@pytest.mark.parametrize("encoded", BAD_POINTS.values(), ids=BAD_POINTS.keys())
def test_any_other_encoding_of_a_point_is_refused(encoded):
    with pytest.raises(ProtocolAbortError):
        Point.from_bytes(encoded)


@pytest.mark.parametrize("form", [0x04, 0x06, 0x07])
def test_forms_that_openssl_takes_are_refused(form):
    key = ec.derive_private_key(5, ec.SECP256R1()).public_key()
    long = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    with pytest.raises(ProtocolAbortError):
        Point.from_bytes(bytes([form]) + long[1:])


def test_point_round_trip():
    encoded = base(12345).to_bytes()
    assert Point.from_bytes(encoded).to_bytes() == encoded
    assert Point.from_bytes(encoded) != base(12346)


@pytest.mark.parametrize("make", [lambda: base(0), lambda: base(Q), lambda: base(3) - base(3)])
def test_infinity_is_refused(make):
    with pytest.raises(ProtocolAbortError, match="infinity"):
        make()


@pytest.mark.parametrize(
    "encoded", [b"", bytes(31), bytes(33), Q.to_bytes(32, "big"), b"\xff" * 32]
)
def test_scalar_of_another_size_or_above_the_order_is_refused(encoded):
    with pytest.raises(ProtocolAbortError):
        scalar_from_bytes(encoded)


def test_scalar_zero_is_refused_where_it_must_not_be():
    assert scalar_from_bytes(bytes(32)) == 0
    with pytest.raises(ProtocolAbortError, match="zero"):
        nonzero_from_bytes(bytes(32))
    assert nonzero_from_bytes(scalar_to_bytes(Q - 1)) == Q - 1


def test_random_scalar_draws_again_after_zero():
    draws = [Q.to_bytes(48, "big"), (Q + 9).to_bytes(48, "big")]
    assert random_scalar(lambda size: draws.pop(0)) == 9


def test_threads_do_not_share_a_context():
    """A shared BN_CTX crashes the process."""

    def work(k: int) -> bytes:
        point = base(k)
        for _ in range(50):
            point = Point.from_bytes((point * k).to_bytes())
        return point.to_bytes()

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, [3, 5, 7, 11] * 3))
    assert results == [base(pow(k, 51, Q)).to_bytes() for k in [3, 5, 7, 11] * 3]
