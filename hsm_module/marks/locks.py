"""Locks between the vault processes of one host, on files beside the marks."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signer_core.errors import UnavailableError


def open_lock(path: Path) -> int:
    """Open (or make) a lock file; return its descriptor.

    Raises:
        UnavailableError: it cannot be made.
    """
    try:
        return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        raise UnavailableError(f"the high-water marks cannot be locked: {path}") from None


@contextmanager
def held(lock: int) -> Iterator[None]:
    """Hold a lock alone; the others do the same for microseconds, or while they compact."""
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)


def join(lock: int, *, alone: bool) -> None:
    """Be one of the users of the marks until the descriptor is closed, or the only one.

    Raises:
        UnavailableError: another process uses them, or uses them alone.
    """
    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        who = "a vault runs" if alone else "they are being restored"
        raise UnavailableError(f"the high-water marks are in use: {who}") from None
