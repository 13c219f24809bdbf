"""Files that are there whole or not at all, readable by those who should."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signer_core.errors import UnavailableError


def write_secret(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, durably and atomically; its folder, if made, is 0700."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(path, content, 0o600)


def write_public(path: Path, content: bytes) -> None:
    """Write a file of mode 0644, durably and atomically, unless it is there already."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, content, 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    draft = path.with_name(f".{path.name}.tmp")
    draft.unlink(missing_ok=True)  # of a killed run, perhaps of another mode
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the home folder against a second ceremony, and new files against other users.

    Raises:
        UnavailableError: another one is running.
    """
    umask = os.umask(0o077)  # SoftHSM makes its files by it
    try:
        home.mkdir(parents=True, exist_ok=True)
        with (home / ".ceremony.lock").open("wb") as lock:
            _lock(lock.fileno(), home)
            yield
    finally:
        os.umask(umask)


def _lock(descriptor: int, home: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UnavailableError(f"another ceremony is running on {home}") from None
