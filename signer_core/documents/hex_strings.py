"""A quicker way for pyHanko (0.38) to read the hexadecimal strings of a PDF, ISO 32000-1 §7.3.4.3.

pyHanko reads them byte by byte, and a signature has 16,384 digits: more than half of what verifying
a one-page PDF costs. Here a string of digits only is read at once; any other is left to pyHanko.
"""

import binascii
from typing import Any, BinaryIO, Final

from pyhanko.pdf_utils import generic

_SHORT_BYTES: Final = 64  # most strings
_LONG_BYTES: Final = 1 << 16  # a signature; a hostile file costs no more than this a string
_slowly: Final = generic.read_hex_string_from_stream


def read_hex_string(stream: BinaryIO) -> Any:
    """Read from `<` to `>`; leave the stream behind it. Result and errors are pyHanko's own."""
    start = stream.tell()
    digits, end = _up_to_end(stream, start, _SHORT_BYTES)
    if not end:
        digits, end = _up_to_end(stream, start, _LONG_BYTES)
    if not end or len(digits) % 2 or digits.translate(None, generic.HEX_DIGITS):
        stream.seek(start)
        return _slowly(stream)
    stream.seek(start + len(digits) + 2)
    return generic.pdf_string(binascii.unhexlify(digits))


def _up_to_end(stream: BinaryIO, start: int, size: int) -> tuple[bytes, bytes]:
    stream.seek(start)
    digits, end, _ = stream.read(size)[1:].partition(b">")
    return digits, end


def install() -> None:
    """Make pyHanko's parser use it, in the whole process."""
    generic.read_hex_string_from_stream = read_hex_string
