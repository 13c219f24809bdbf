"""DER by hand where the same few structures are written thousands of times (ITU-T X.690).

asn1crypto takes milliseconds for an answer of OCSP, and grows with the square of a CRL's entries
in `cryptography`; joining bytes takes microseconds.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import cache, lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

BOOLEAN_TRUE: Final = b"\x01\x01\xff"
NULL: Final = b"\x05\x00"
ECDSA_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")  # AlgorithmIdentifier
_UTC_TIME_UNTIL: Final = 2050  # from that year on GeneralizedTime (RFC 5280 §5.1.2.4)


def tlv(tag: int, *contents: bytes) -> bytes:
    """Put a tag of one byte and a length before DER that is ready."""
    body = b"".join(contents)
    return _header(tag, len(body)) + body


def sequence(*contents: bytes) -> bytes:
    """Encode a SEQUENCE."""
    return tlv(0x30, *contents)


def set_of(contents: Iterable[bytes]) -> bytes:
    """Encode a SET OF: DER orders its elements by their bytes."""
    return tlv(0x31, *sorted(contents))


def explicit(number: int, *contents: bytes) -> bytes:
    """Encode a constructed, context-specific element, `[number]`."""
    return tlv(0xA0 | number, *contents)


def integer(value: int) -> bytes:
    """Encode an INTEGER."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(0x02, value.to_bytes(size, "big", signed=True))


def enumerated(value: int) -> bytes:
    """Encode an ENUMERATED below 128."""
    return bytes((0x0A, 1, value))


def octets(value: bytes) -> bytes:
    """Encode an OCTET STRING."""
    return tlv(0x04, value)


def bits(value: bytes, unused: int = 0) -> bytes:
    """Encode a BIT STRING, of whole bytes but for `unused` bits at the end."""
    return tlv(0x03, bytes((unused,)), value)


@cache
def oid(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    return tlv(0x06, b"".join(map(_base_128, (40 * first + second, *rest))))


def time(when: datetime) -> bytes:
    """Encode a Time of a certificate or CRL: whole seconds, UTC."""
    if when.year >= _UTC_TIME_UNTIL:
        return generalized_time(when)
    return tlv(0x17, when.strftime("%y%m%d%H%M%SZ").encode())


def generalized_time(when: datetime) -> bytes:
    """Encode a GeneralizedTime of whole seconds, UTC."""
    return tlv(0x18, when.strftime("%Y%m%d%H%M%SZ").encode())


def generalized_time_ms(when: datetime) -> bytes:
    """Encode a GeneralizedTime of milliseconds, UTC; DER has no zeros at the end (X.690 §11.7)."""
    fraction = f".{when.microsecond // 1000:03}".rstrip("0").rstrip(".")
    return tlv(0x18, when.strftime(f"%Y%m%d%H%M%S{fraction}Z").encode())


def extension(dotted: str, value: bytes, *, critical: bool = False) -> bytes:
    """Encode an Extension around the DER of its value."""
    return sequence(oid(dotted), BOOLEAN_TRUE if critical else b"", octets(value))


def signed(to_be_signed: bytes, signature: bytes, *more: bytes) -> bytes:
    """Join what was signed with its ECDSA signature (DER), as CRLs and OCSP answers do."""
    return sequence(to_be_signed, ECDSA_SHA256, bits(signature), *more)


def certificate_der(certificate: x509.Certificate) -> bytes:
    """Return the DER of a certificate."""
    return certificate.public_bytes(Encoding.DER)


def _base_128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


@lru_cache(1024)
def _header(tag: int, length: int) -> bytes:
    if length < 0x80:
        return bytes((tag, length))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size
