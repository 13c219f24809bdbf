"""Points and scalars of P-256, checked once where bytes come in (docs/spec/ecdsa2p.md §1)."""

from collections.abc import Callable
from typing import NewType, Self

from signer_core.errors import ProtocolAbortError
from signer_core.protocol import openssl
from signer_core.protocol.transcript import Q

Scalar = NewType("Scalar", int)  # 0 <= k < q
Rng = Callable[[int], bytes]  # n uniformly random bytes

SCALAR_BYTES = 32
POINT_BYTES = openssl.POINT_BYTES


class Point:
    """A point of P-256 that is not infinity. Immutable; made by the functions of this module."""

    __slots__ = ("_encoded", "_raw")

    def __init__(self, raw: openssl.EcPoint, encoded: bytes | None = None) -> None:
        """Take a raw point.

        Raises:
            ProtocolAbortError: it is infinity.
        """
        if openssl.is_infinity(raw):
            raise ProtocolAbortError("the point at infinity is not allowed")
        self._raw = raw
        self._encoded = encoded

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Self:
        """Decode exactly 33 bytes with prefix 02 or 03.

        Raises:
            ProtocolAbortError: another form (OpenSSL takes more of them), or not on the curve.
        """
        if len(encoded) != POINT_BYTES or encoded[0] not in (2, 3):
            raise ProtocolAbortError("a point is 33 bytes with prefix 02 or 03")
        raw = openssl.decode(encoded)
        if raw is None:
            raise ProtocolAbortError("the point is not on the curve")
        return cls(raw, encoded)

    def to_bytes(self) -> bytes:
        """Encode as 33 bytes."""
        if self._encoded is None:
            self._encoded = openssl.encode(self._raw)
        return self._encoded

    def x_mod_q(self) -> Scalar:
        """Return the x coordinate mod q: ECDSA's r."""
        return Scalar(int.from_bytes(self.to_bytes()[1:], "big") % Q)

    def __add__(self, other: "Point") -> "Point":
        return Point(openssl.add(self._raw, other._raw))

    def __sub__(self, other: "Point") -> "Point":
        return Point(openssl.add(self._raw, openssl.negate(other._raw)))

    def __mul__(self, scalar: int) -> "Point":
        return Point(openssl.multiply(None, self._raw, scalar))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and openssl.equal(self._raw, other._raw)

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def plus_base(self, point_scalar: int, base_scalar: int) -> "Point":
        """Return `base_scalar·G + point_scalar·self` in one constant-time call."""
        return Point(openssl.multiply(base_scalar, self._raw, point_scalar))


def base(scalar: int) -> Point:
    """Return `scalar·G`, in constant time."""
    return Point(openssl.multiply(scalar, None, None))


def scalar_from_bytes(encoded: bytes) -> Scalar:
    """Decode 32 bytes, `0 <= k < q`.

    Raises:
        ProtocolAbortError: another size, or `k >= q`.
    """
    if len(encoded) != SCALAR_BYTES or (value := int.from_bytes(encoded, "big")) >= Q:
        raise ProtocolAbortError("a scalar is 32 bytes below the group order")
    return Scalar(value)


def nonzero_from_bytes(encoded: bytes) -> Scalar:
    """Decode 32 bytes, `0 < k < q`; raises as `scalar_from_bytes`."""
    value = scalar_from_bytes(encoded)
    if value == 0:
        raise ProtocolAbortError("a scalar must not be zero")
    return value


def scalar_to_bytes(value: int) -> bytes:
    """Encode as 32 bytes, big-endian."""
    return value.to_bytes(SCALAR_BYTES, "big")


def random_scalar(rng: Rng) -> Scalar:
    """Draw a uniform nonzero scalar: 48 random bytes mod q, again if zero (§1)."""
    while True:
        value = int.from_bytes(rng(48), "big") % Q
        if value != 0:
            return Scalar(value)


def inverse(value: int) -> Scalar:
    """Return `1/value` mod q. Python's `pow`: not constant-time, see the threat model."""
    return Scalar(pow(value, -1, Q))
