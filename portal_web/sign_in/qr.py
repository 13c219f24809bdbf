"""QR codes that change every second, for thousands of browsers: matrices by XOR.

With version, error correction and mask fixed, every module of a QR code is a linear function of the
message's bits (ISO/IEC 18004 §7: the message and its Reed-Solomon codewords are linear over GF(2),
the mask is XORed). So the matrix of any message is that of the zero message, XORed with one matrix
a bit that is set. segno makes these once; a new code then costs 20 microseconds instead of a
millisecond.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import segno

_ERROR: Final = "m"  # 15 %: enough for a screen
_MASK: Final = 2  # any will do for a reader; a fixed one keeps it linear
QUIET_MODULES: Final = 4  # white around it, ISO/IEC 18004 §6.3.8


@dataclass(frozen=True, slots=True)
class QrCode:
    """A square of modules, row by row from the top left; 1 is dark."""

    size: int  # modules a side
    modules: int = field(repr=False)  # size * size bits, the top left one first

    def packed(self) -> str:
        """Return the bits in base64, zeros before them up to a whole byte."""
        return base64.b64encode(self.modules.to_bytes(-(-self.size * self.size // 8))).decode()

    def path(self) -> str:
        """Return an SVG path of the dark modules, for a view box with the quiet zone."""
        return "".join(
            f"M{x + QUIET_MODULES} {y + QUIET_MODULES}h{length}v1h-{length}z"
            for y, row in enumerate(self._rows())
            for x, length in _runs(row)
        )

    def _rows(self) -> Iterator[str]:
        bits = f"{self.modules:0{self.size * self.size}b}"
        return (bits[at : at + self.size] for at in range(0, len(bits), self.size))


class QrPainter:
    """Makes the QR codes of messages of one length in bytes (at most 200, ASCII)."""

    def __init__(self, length: int) -> None:
        zero = bytes(length)
        found = segno.make_qr(zero, error=_ERROR, mode="byte", boost_error=False, mask=_MASK)
        self._length = length
        self.size = len(found.matrix)
        self._version = int(found.version)
        self._base = self._draw(zero)
        self._of_bit = tuple(self._draw(one) ^ self._base for one in _single_bits(length))

    def paint(self, message: bytes) -> QrCode:
        """Return the code of a message.

        Raises:
            ValueError: it has another length, a defect of the caller.
        """
        if len(message) != self._length:
            raise ValueError(f"{len(message)} bytes instead of {self._length}")
        modules, bits, at = self._base, int.from_bytes(message), 8 * self._length - 1
        while bits:
            if bits & 1:
                modules ^= self._of_bit[at]
            bits >>= 1
            at -= 1
        return QrCode(self.size, modules)

    def _draw(self, message: bytes) -> int:
        code = segno.make_qr(
            message,
            version=self._version,
            error=_ERROR,
            mode="byte",
            boost_error=False,
            mask=_MASK,
        )
        return int("".join(str(module) for row in code.matrix for module in row), 2)


def _single_bits(length: int) -> Iterator[bytes]:
    return ((1 << at).to_bytes(length) for at in range(8 * length - 1, -1, -1))


def _runs(row: str) -> Iterator[tuple[int, int]]:
    """Yield where dark runs begin, and their lengths."""
    at = row.find("1")
    while at >= 0:
        end = row.find("0", at)
        end = end if end >= 0 else len(row)
        yield at, end - at
        at = row.find("1", end)
