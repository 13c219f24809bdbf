"""DER by hand where only lengths change (ITU-T X.690 §8.1.3, §10.1).

asn1crypto encodes a CMS in 10 to 20 ms, nearly all of it for parts that are the same every time;
around ready-made parts nothing is left to encode but lengths.
"""

from functools import cache
from typing import Final

SEQUENCE: Final = 0x30
SET: Final = 0x31
INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04


def tlv(tag: int, *contents: bytes) -> bytes:
    """Put a tag of one byte and a length before DER that is ready."""
    return b"".join((_header(tag, sum(map(len, contents))), *contents))


def integer(value: int) -> bytes:
    """Encode an INTEGER that is not negative."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def context(number: int) -> int:
    """Return the tag of a constructed, context-specific element, `[number]`."""
    return 0xA0 | number


@cache
def _header(tag: int, length: int) -> bytes:
    if length < 0x80:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets
