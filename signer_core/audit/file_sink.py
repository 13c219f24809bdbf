"""The log's second sink: append-only files of JSON lines, durable with every batch.

A line is a leaf, byte for byte, with its hash beside it: `tools/audit_verify.py` reads the folder.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from signer_core.audit.leaf import leaf_of, line_of
from signer_core.errors import UnavailableError

ROWS_A_FILE: Final = 100_000  # some 40 MB
CHECKPOINTS: Final = "checkpoints.jsonl"


class FileSink:
    """One writer of one folder. Mutable: it holds the file that grows."""

    def __init__(self, folder: Path, rows_a_file: int = ROWS_A_FILE) -> None:
        """Open the folder, alone; a line that a crash left unfinished is cut off.

        Raises:
            UnavailableError: it cannot be written, or another process writes it.
        """
        self.folder, self._rows_a_file = folder, rows_a_file
        self._file: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.next_seq = self._recover()
        except BlockingIOError:
            raise UnavailableError(f"another process writes the audit log in {folder}") from None
        except OSError as error:
            raise UnavailableError(f"{folder} cannot be written: {error.strerror}") from None

    def append(self, first_seq: int, leaves: Sequence[bytes]) -> None:
        """Write rows that follow the last one; durable on return, or none of a file's is there.

        Raises:
            UnavailableError: the disk is full or broken.
        """
        if first_seq != self.next_seq:
            raise UnavailableError("rows of the audit log's file must follow each other")
        for begin, part in self._split(first_seq, leaves):
            try:
                self._append(begin, b"".join(map(line_of, part)))
            except OSError as error:
                self._close_file()
                reason = f"{self.folder} cannot be written: {error.strerror}"
                raise UnavailableError(reason) from None
            self.next_seq = begin + len(part)

    def add_checkpoint(self, note: str) -> None:
        """Write a checkpoint beside the rows.

        Raises:
            UnavailableError: the disk is full or broken.
        """
        line = json.dumps({"checkpoint": note}).encode() + b"\n"
        try:
            descriptor = _open(self.folder / CHECKPOINTS)
            try:
                _write(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UnavailableError(f"{self.folder} cannot be written: {error.strerror}") from None

    def read(self, begin: int, limit: int) -> Sequence[bytes]:
        """Return leaves from a place on, of one file at most: to restore a database."""
        start = begin // self._rows_a_file * self._rows_a_file
        lines = _name(self.folder, start).read_bytes().split(b"\n")[:-1]
        return [leaf_of(line) for line in lines[begin - start : begin - start + limit]]

    def close(self) -> None:
        """Close the files; the lock ends with it."""
        self._close_file()
        os.close(self._lock)

    def _recover(self) -> int:
        for path in self.folder.glob("*.jsonl"):
            _cut_unfinished(path)
        files = sorted(self.folder.glob("events-*.jsonl"))
        if not files:
            return 0
        with files[-1].open("rb") as last:
            lines = sum(chunk.count(b"\n") for chunk in iter(lambda: last.read(1 << 20), b""))
        return int(files[-1].stem.removeprefix("events-")) + lines

    def _split(self, first_seq: int, leaves: Sequence[bytes]) -> Iterator[tuple[int, list[bytes]]]:
        done = 0
        while done < len(leaves):
            begin = first_seq + done
            room = self._rows_a_file - begin % self._rows_a_file
            yield begin, list(leaves[done : done + room])
            done += room

    def _append(self, begin: int, data: bytes) -> None:
        if self._file is None or begin % self._rows_a_file == 0:
            self._close_file()
            self._file = _open(_name(self.folder, begin // self._rows_a_file * self._rows_a_file))
        _write(self._file, data)

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _name(folder: Path, first_seq: int) -> Path:
    return folder / f"events-{first_seq:012d}.jsonl"


def _open(path: Path) -> int:
    is_new = not path.exists()
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    if is_new:
        parent = os.open(path.parent, os.O_RDONLY)
        os.fsync(parent)
        os.close(parent)
    return descriptor


def _write(descriptor: int, data: bytes) -> None:
    """Append durably; what was written in part is taken back."""
    size = os.fstat(descriptor).st_size
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fdatasync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _cut_unfinished(path: Path) -> None:
    """Cut off what follows the last line break: a crash came between."""
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        keep = 0
        while end and not keep:
            begin = max(0, end - (1 << 16))
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            keep, end = (begin + found + 1, end) if found >= 0 else (0, begin)
        if keep != file.seek(0, os.SEEK_END):
            file.truncate(keep)
            os.fsync(file.fileno())
