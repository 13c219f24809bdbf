"""The binding to OpenSSL's elliptic curve code: P-256 through cffi, ABI mode, libcrypto 3.

Secret scalars meet points only here, in `EC_POINT_mul`: on P-256 OpenSSL's `nistz256` code (x86-64,
64-bit ARM) is constant-time for one generator term and one point term. Everything that holds a
secret is freed by the clearing variant. cffi releases the GIL during a call, so nothing mutable is
shared by threads: one `BN_CTX` a thread (a shared one crashes).
"""

import threading
from typing import Any, NewType

import cffi

from signer_core.errors import UnavailableError

LIBRARY = "libcrypto.so.3"
_NID_P256 = 415  # NID_X9_62_prime256v1, openssl/obj_mac.h
_COMPRESSED = 2  # POINT_CONVERSION_COMPRESSED, openssl/ec.h
POINT_BYTES = 33

ffi = cffi.FFI()
ffi.cdef("""
    typedef struct ec_group_st EC_GROUP;
    typedef struct ec_point_st EC_POINT;
    typedef struct bignum_st BIGNUM;
    typedef struct bignum_ctx BN_CTX;
    EC_GROUP *EC_GROUP_new_by_curve_name(int nid);
    EC_POINT *EC_POINT_new(const EC_GROUP *group);
    void EC_POINT_clear_free(EC_POINT *point);
    int EC_POINT_copy(EC_POINT *dst, const EC_POINT *src);
    int EC_POINT_mul(const EC_GROUP *group, EC_POINT *r, const BIGNUM *n,
                     const EC_POINT *q, const BIGNUM *m, BN_CTX *ctx);
    int EC_POINT_add(const EC_GROUP *group, EC_POINT *r, const EC_POINT *a,
                     const EC_POINT *b, BN_CTX *ctx);
    int EC_POINT_invert(const EC_GROUP *group, EC_POINT *a, BN_CTX *ctx);
    int EC_POINT_cmp(const EC_GROUP *group, const EC_POINT *a, const EC_POINT *b, BN_CTX *ctx);
    int EC_POINT_is_at_infinity(const EC_GROUP *group, const EC_POINT *p);
    int EC_POINT_oct2point(const EC_GROUP *group, EC_POINT *p, const unsigned char *buf,
                           size_t len, BN_CTX *ctx);
    size_t EC_POINT_point2oct(const EC_GROUP *group, const EC_POINT *p, int form,
                              unsigned char *buf, size_t len, BN_CTX *ctx);
    BIGNUM *BN_bin2bn(const unsigned char *s, int len, BIGNUM *ret);
    void BN_clear_free(BIGNUM *a);
    BN_CTX *BN_CTX_new(void);
    void BN_CTX_free(BN_CTX *ctx);
    void ERR_clear_error(void);
""")

EcPoint = NewType("EcPoint", object)  # a cffi EC_POINT*, freed with its Python object


def _load() -> Any:
    try:
        return ffi.dlopen(LIBRARY)
    except OSError:
        raise UnavailableError(f"OpenSSL 3 is not installed: {LIBRARY} not found") from None


lib = _load()
GROUP = lib.EC_GROUP_new_by_curve_name(_NID_P256)
_local = threading.local()


def _context() -> Any:
    """Return this thread's BN_CTX."""
    try:
        return _local.context
    except AttributeError:
        _local.context = ffi.gc(lib.BN_CTX_new(), lib.BN_CTX_free)
        return _local.context


def _must(result: int) -> None:
    """Turn OpenSSL's 0 into an error: out of memory, there is no other cause here."""
    if result != 1:
        lib.ERR_clear_error()
        raise UnavailableError("OpenSSL failed on a point operation")


def _allocated(pointer: Any) -> Any:
    """Refuse NULL: as a scalar, OpenSSL would take it for a term left out."""
    if pointer == ffi.NULL:
        raise UnavailableError("OpenSSL is out of memory")
    return pointer


def new_point() -> Any:
    """Return a new EC_POINT (infinity), cleared when its Python object goes."""
    return ffi.gc(_allocated(lib.EC_POINT_new(GROUP)), lib.EC_POINT_clear_free)


def decode(encoded: bytes) -> EcPoint | None:
    """Return the point of 33 bytes, or None if OpenSSL finds no such point on the curve."""
    point = new_point()
    if lib.EC_POINT_oct2point(GROUP, point, encoded, len(encoded), _context()) != 1:
        lib.ERR_clear_error()
        return None
    return EcPoint(point)


def encode(point: EcPoint) -> bytes:
    """Encode a point that is not infinity: 33 bytes, compressed."""
    buffer = ffi.new("unsigned char[]", POINT_BYTES)
    size = lib.EC_POINT_point2oct(GROUP, point, _COMPRESSED, buffer, POINT_BYTES, _context())
    _must(int(size == POINT_BYTES))
    return bytes(ffi.buffer(buffer))


def multiply(generator_scalar: int | None, point: EcPoint | None, scalar: int | None) -> EcPoint:
    """Return `generator_scalar·G + scalar·point`; None leaves a term out."""
    result = new_point()
    n, m = _to_bn(generator_scalar), _to_bn(scalar)
    try:
        _must(lib.EC_POINT_mul(GROUP, result, n, point or ffi.NULL, m, _context()))
    finally:
        lib.BN_clear_free(n)  # of NULL does nothing
        lib.BN_clear_free(m)
    return EcPoint(result)


def add(a: EcPoint, b: EcPoint) -> EcPoint:
    """Return `a + b`."""
    result = new_point()
    _must(lib.EC_POINT_add(GROUP, result, a, b, _context()))
    return EcPoint(result)


def negate(a: EcPoint) -> EcPoint:
    """Return `-a`."""
    result = new_point()
    _must(lib.EC_POINT_copy(result, a))
    _must(lib.EC_POINT_invert(GROUP, result, _context()))
    return EcPoint(result)


def equal(a: EcPoint, b: EcPoint) -> bool:
    """Tell whether two points are the same."""
    return bool(lib.EC_POINT_cmp(GROUP, a, b, _context()) == 0)


def is_infinity(a: EcPoint) -> bool:
    """Tell whether a point is the neutral element."""
    return bool(lib.EC_POINT_is_at_infinity(GROUP, a) == 1)


def _to_bn(scalar: int | None) -> Any:
    if scalar is None:
        return ffi.NULL
    return _allocated(lib.BN_bin2bn(scalar.to_bytes(32, "big"), 32, ffi.NULL))
