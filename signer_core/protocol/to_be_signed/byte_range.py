"""The part of a PDF that its last signature covers: everything but the signature itself.

ISO 32000-2 §12.8.1: `/ByteRange [0 b c d]` names the bytes before and after one hexadecimal
string, the value of `/Contents`. A phone needs this to know that the document it shows is the
one it signs; it has no PDF library, and must not trust one that guesses.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from signer_core.errors import InvalidRequestError

# Ten digits are what a classic cross-reference table can address (ISO 32000-2 §7.5.4).
_BYTE_RANGE: Final = re.compile(
    rb"/ByteRange\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]"
)
_HEX_STRING: Final = re.compile(rb"<[0-9A-Fa-f]*>")
_CONTENTS_KEY: Final = re.compile(rb"/Contents\s*\Z")
_LONGEST_KEY_BYTES: Final = 64  # "/Contents" and white space before the gap


@dataclass(frozen=True, slots=True)
class SignatureGap:
    """Where the last signature of a PDF goes: `<` is at `start`, `>` just before `end`."""

    start: int  # offset in bytes
    end: int  # offset in bytes, exclusive

    @property
    def capacity_bytes(self) -> int:
        """The largest CMS, in bytes, that fits: two hexadecimal digits a byte."""
        return (self.end - self.start - 2) // 2


def find_signature_gap(pdf: bytes) -> SignatureGap:
    """Find the one hexadecimal string that the file's last signature leaves out.

    1. Exactly one `/ByteRange` reaches the last byte; signatures before it end earlier.
    2. It begins at byte 0.
    3. It leaves out exactly one hexadecimal string, zeros or a CMS, nothing else.
    4. That string is the value of `/Contents`.
    5. Both stand in the same object, so that the string is this signature's own.

    Raises:
        InvalidRequestError: at the first that fails.
    """
    array = _only_range_to_the_end(pdf)  # 1
    first, before, after, _ = (int(number) for number in array.groups())
    if first != 0:  # 2
        raise InvalidRequestError("the signature does not cover the beginning of the PDF")
    if not _HEX_STRING.fullmatch(pdf, before, max(before, after)):  # 3
        raise InvalidRequestError("the signature of the PDF leaves out more than itself")
    if not _CONTENTS_KEY.search(pdf, max(0, before - _LONGEST_KEY_BYTES), before):  # 4
        raise InvalidRequestError("the signature of the PDF leaves out something else than itself")
    between = pdf[after : array.start()] if array.start() >= after else pdf[array.end() : before]
    if b"endobj" in between:  # 5
        raise InvalidRequestError("the signature of the PDF leaves out a part of another object")
    return SignatureGap(before, after)


def _only_range_to_the_end(pdf: bytes) -> re.Match[bytes]:
    arrays = [m for m in _BYTE_RANGE.finditer(pdf) if int(m[3]) + int(m[4]) == len(pdf)]
    if len(arrays) != 1:
        raise InvalidRequestError("the PDF has no signature that covers it to its end")
    return arrays[0]


def byte_range_digest(pdf: bytes) -> bytes:
    """Return the SHA-256 (32 bytes) of what the last signature of `pdf` covers.

    It is the same before and after the signature is put in: the file hash of a request.

    Raises:
        InvalidRequestError: the file is not wholly covered but for one signature.
    """
    return digest_around(pdf, find_signature_gap(pdf))


def digest_around(pdf: bytes, gap: SignatureGap) -> bytes:
    """Return the SHA-256 (32 bytes) of a file without its gap, as `find_signature_gap` found it."""
    digest = hashlib.sha256(memoryview(pdf)[: gap.start])
    digest.update(memoryview(pdf)[gap.end :])
    return digest.digest()
