"""The file of marks: appended by every vault process of the host, compacted by one of them.

    FILE record: number of the file, how many sorted records follow
    sorted records, one a row
    records in the order they were appended, newest last

Lookups take the appended ones from memory and bisect the sorted ones in the file.
"""

import hashlib
import heapq
import mmap
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final

from hsm_module.marks.locks import held
from hsm_module.marks.record import (
    NAME_BYTES,
    RECORD_BYTES,
    Mark,
    MarkKind,
    parse_mark,
    parse_marks,
    read_certificate_note,
)
from signer_core.errors import UnavailableError, VerificationError

COMPACT_BYTES: Final = 1 << 20  # appended ones kept in memory: 32,768, some 6,500 signatures
SLACK_S: Final = 31 * 24 * 3600  # this host's clock may be wrong
_FILE_ID: Final = bytes(16)


class MarksFile:
    """One opened file. Mutable: it follows what any process appends, and a compaction."""

    def __init__(self, path: Path, lock: int, now_s: Callable[[], float]) -> None:
        """Open the file, made if absent; `lock` is held around every write.

        Raises:
            VerificationError: it is damaged otherwise than by a power cut while appending.
            UnavailableError: it cannot be opened.
        """
        self._path, self._lock, self._now_s = path, lock, now_s
        self._tick = 0  # rises whenever something new was read
        self._descriptor = self._number = -1
        with held(lock):
            if not path.exists():
                self._replace(0, ())
            self._mend()
            self._open()

    @property
    def descriptor(self) -> int:
        """The open file, for `fdatasync`."""
        return self._descriptor

    @property
    def number(self) -> int:
        """How often it was compacted."""
        return self._number

    @property
    def head(self) -> tuple[int, int, bytes]:
        """Number of the file, bytes read, SHA-256 of them (32 bytes)."""
        return self._number, self._position, self._hash.digest()

    def prefix_hash(self, size: int) -> bytes:
        """Return the SHA-256 of the first `size` bytes; of fewer, if the file is shorter."""
        return hashlib.sha256(os.pread(self._descriptor, size, 0)).digest()

    def follow(self) -> int:
        """Read what was appended since; return a tick: what comes later has a higher one."""
        status = os.fstat(self._descriptor)
        if status.st_nlink == 0:  # compacted by another process
            self._open()
        elif status.st_size >= self._position + RECORD_BYTES:
            self._read(os.pread(self._descriptor, status.st_size - self._position, self._position))
        return self._tick

    def find(self, name: bytes) -> tuple[Mark, int] | None:
        """Return the mark about `name` and the tick it was learned at."""
        appended, old = self._appended.get(name), self._find_sorted(name)
        if old is not None and (appended is None or appended[0].version < old.version):
            return old, 0
        return appended

    def _find_sorted(self, name: bytes) -> Mark | None:
        at = bisect_left(range(self._sorted), name, key=self._sorted_name)
        if at == self._sorted or self._sorted_name(at) != name:
            return None
        start = (1 + at) * RECORD_BYTES
        mark = parse_mark(self._map[start : start + RECORD_BYTES])
        if mark is None:
            raise VerificationError("the high-water marks are damaged")
        return mark

    def append(self, marks: Iterable[Mark]) -> None:
        """Write marks; not yet safe from a power cut.

        Raises:
            UnavailableError: the disk is full, or the file is gone.
        """
        data = b"".join(mark.to_bytes() for mark in marks)
        with held(self._lock):
            self.follow()
            size = self._position
            try:
                os.ftruncate(self._descriptor, size)  # a piece of a record, left by a power cut
                complete = os.write(self._descriptor, data) == len(data)
            except OSError:
                complete = False
            if not complete:
                with suppress(OSError):
                    os.ftruncate(self._descriptor, size)
                raise UnavailableError("the high-water marks cannot be written: is the disk full?")
            self.follow()
            if self._position > (1 + self._sorted) * RECORD_BYTES + max(
                COMPACT_BYTES, self._sorted * RECORD_BYTES // 4
            ):
                self._compact(self._is_needed)

    def compact(self, keep: Callable[[Mark], bool]) -> None:
        """Sort everything into a new file, durably; drop what `keep` refuses."""
        with held(self._lock):
            self.follow()
            self._compact(keep)

    def of_kind(self, kind: MarkKind) -> dict[bytes, Mark]:
        """Return the marks of a kind by their ids."""
        self.follow()
        found: dict[bytes, Mark] = {}
        first = bisect_left(range(self._sorted), bytes([kind]), key=self._sorted_name)
        after = bisect_left(range(self._sorted), bytes([kind + 1]), key=self._sorted_name)
        piece = self._map[(1 + first) * RECORD_BYTES : (1 + after) * RECORD_BYTES]
        newer = (mark for mark, _ in self._appended.values() if mark.kind is kind)
        for mark in chain(parse_marks(piece), newer):
            if mark is None:
                raise VerificationError("the high-water marks are damaged")
            known = found.get(mark.id)
            if known is None or known.version < mark.version:
                found[mark.id] = mark
        return found

    def count(self, kind: MarkKind) -> int:
        """Return how many rows of a kind have a mark; reads everything."""
        names = {mark.name for mark in parse_marks(self._map) if mark is not None}
        names.update(self._appended)
        return sum(name[0] == kind for name in names)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
        self._descriptor = -1

    def _is_needed(self, mark: Mark) -> bool:
        """Tell whether the row of a mark could still be used: requests and certificates expire."""
        match mark.kind:
            case MarkKind.REQUEST:
                return self._now_s() < mark.note + SLACK_S
            case MarkKind.CERTIFICATE:
                return self._now_s() < read_certificate_note(mark.note)[2] + SLACK_S
            case _:
                return True

    def _compact(self, keep: Callable[[Mark], bool]) -> None:
        self._replace(self._number + 1, self._merged(keep))
        self._open()

    def _merged(self, keep: Callable[[Mark], bool]) -> Iterator[bytes]:
        """Yield the highest record of every row in their order, one in memory at a time.

        Records are compared as bytes: name, then version.
        """
        highest = b""
        appended = sorted(mark.to_bytes() for mark, _ in self._appended.values())
        for record in heapq.merge(self._sorted_records(), appended):
            if highest[:NAME_BYTES] != record[:NAME_BYTES] and _is_kept(highest, keep):
                yield highest
            highest = record
        if _is_kept(highest, keep):
            yield highest

    def _sorted_records(self) -> Iterator[bytes]:
        for start in range(RECORD_BYTES, (1 + self._sorted) * RECORD_BYTES, RECORD_BYTES):
            yield self._map[start : start + RECORD_BYTES]

    def _replace(self, number: int, kept: Iterable[bytes]) -> None:
        """Write a file and put it in the place of the other, if there is one."""
        new = self._path.with_name(self._path.name + ".new")
        try:
            with new.open("wb") as file:
                file.write(bytes(RECORD_BYTES))
                count = sum(map(file.write, kept)) // RECORD_BYTES
                file.seek(0)
                file.write(Mark(MarkKind.FILE, _FILE_ID, number, count).to_bytes())
                file.flush()
                os.fsync(file.fileno())
            new.chmod(0o600)
            new.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        except OSError:
            raise UnavailableError("the high-water marks cannot be written") from None

    def _open(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError:
            raise UnavailableError("the high-water marks cannot be read") from None
        if self._descriptor >= 0:
            self.close()
        self._descriptor = descriptor
        head = parse_mark(os.pread(descriptor, RECORD_BYTES, 0))
        if head is None or head.kind is not MarkKind.FILE:
            raise VerificationError("the high-water marks are damaged")
        if head.version <= self._number:
            raise VerificationError("the high-water marks were put back while the vault runs")
        self._number, self._sorted = head.version, head.note
        self._position = (1 + self._sorted) * RECORD_BYTES
        if os.fstat(descriptor).st_size < self._position:
            raise VerificationError("the high-water marks are cut short")
        self._map = mmap.mmap(descriptor, self._position, prot=mmap.PROT_READ)
        self._hash = hashlib.sha256(self._map)
        self._appended: dict[bytes, tuple[Mark, int]] = {}
        self._tick += 1
        self.follow()

    def _mend(self) -> None:
        """Cut off what a power cut left at the end: damaged records with no whole one after."""
        whole = self._path.stat().st_size // RECORD_BYTES
        with self._path.open("r+b") as file:
            while whole:
                file.seek((whole - 1) * RECORD_BYTES)
                if parse_mark(file.read(RECORD_BYTES)) is not None:
                    break
                whole -= 1
            file.truncate(whole * RECORD_BYTES)

    def _read(self, data: bytes) -> None:
        self._tick += 1
        for mark in parse_marks(data):
            if mark is None:
                raise VerificationError("the high-water marks are damaged")
            known = self._appended.get(mark.name)
            if known is None or known[0].version <= mark.version:
                self._appended[mark.name] = mark, self._tick
        whole = data[: len(data) // RECORD_BYTES * RECORD_BYTES]
        self._hash.update(whole)
        self._position += len(whole)

    def _sorted_name(self, index: int) -> bytes:
        start = (1 + index) * RECORD_BYTES
        return self._map[start : start + NAME_BYTES]


def _is_kept(record: bytes, keep: Callable[[Mark], bool]) -> bool:
    if not record:
        return False
    mark = parse_mark(record)
    if mark is None:
        raise VerificationError("the high-water marks are damaged")
    return keep(mark)
