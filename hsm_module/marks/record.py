"""One mark as 32 bytes: kind (1), id (16), row version (6), note (5), CRC-32 (4), big-endian."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from mmap import mmap
from typing import Final

RECORD_BYTES: Final = 32
NAME_BYTES: Final = 17  # kind and id: what records are sorted by
_MAX_COUNT: Final = 255  # tries are fewer
_HOLD_BIT: Final = 36  # above a Unix time of the next 2,000 years
_ISSUER_BIT: Final = 37


class MarkKind(IntEnum):
    """What a mark is about."""

    FILE = 0  # the first record of a file: its number, and how many sorted records follow
    KEY = 1
    REQUEST = 2  # signed or withdrawn; the note is when it would have expired
    HEAD = 3  # the row that names this file's head
    CERTIFICATE = 4  # suspended or revoked; the note is `certificate_note`
    OFFICER = 5  # who may do what with keys
    PARTNER = 6  # whose record is the newest, and who is suspended


@dataclass(frozen=True, slots=True)
class Mark:
    """The highest version of a row, with what must not be forgotten with it."""

    kind: MarkKind
    id: bytes  # 16 bytes
    version: int  # below 2^48
    note: int = 0  # below 2^40; of a key: `key_note`

    @property
    def name(self) -> bytes:
        """What it is about (17 bytes)."""
        return bytes([self.kind]) + self.id

    def to_bytes(self) -> bytes:
        """Encode it."""
        body = self.name + self.version.to_bytes(6, "big") + self.note.to_bytes(5, "big")
        return body + zlib.crc32(body).to_bytes(4, "big")


_KINDS: Final = {int(kind): kind for kind in MarkKind}


def key_note(*, dead: bool, failed: int, lifetime_failed: int) -> int:
    """Pack what a restored backup must not undo: a key's end, and its wrong tries."""
    return dead << 16 | min(lifetime_failed, _MAX_COUNT) << 8 | min(failed, _MAX_COUNT)


def read_key_note(note: int) -> tuple[bool, int, int]:
    """Return whether the key has ended, `failed` and `lifetime_failed`."""
    return bool(note >> 16), note & 0xFF, note >> 8 & 0xFF


def certificate_note(*, suspended: bool, issuer: int, not_after_s: int) -> int:
    """Pack what a restored backup must not undo: whose it is (0 to 3), how bad, until when."""
    return issuer << _ISSUER_BIT | suspended << _HOLD_BIT | not_after_s


def read_certificate_note(note: int) -> tuple[bool, int, int]:
    """Return whether the certificate is only suspended, its issuer, its end (Unix time)."""
    return bool(note >> _HOLD_BIT & 1), note >> _ISSUER_BIT, note & (1 << _HOLD_BIT) - 1


def parse_marks(data: bytes | mmap) -> Iterator[Mark | None]:
    """Decode whole records; None for one that is damaged."""
    for start in range(0, len(data) - RECORD_BYTES + 1, RECORD_BYTES):
        yield parse_mark(data[start : start + RECORD_BYTES])


def parse_mark(record: bytes) -> Mark | None:
    """Decode one record; None if it is damaged."""
    body, crc = record[:-4], record[-4:]
    if zlib.crc32(body).to_bytes(4, "big") != crc or body[0] not in _KINDS:
        return None
    numbers = body[NAME_BYTES:]
    version, note = int.from_bytes(numbers[:6], "big"), int.from_bytes(numbers[6:], "big")
    return Mark(_KINDS[body[0]], body[1:NAME_BYTES], version, note)
