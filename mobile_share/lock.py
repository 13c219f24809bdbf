"""One program at a time works with a phone's folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mobile_share.errors import FolderInUseError
from mobile_share.files import PRIVATE_FILE, make_private_folder, storage_error


@contextmanager
def only_user_of(folder: Path) -> Iterator[None]:
    """Hold the folder (made if missing) for the time of a session.

    Two sessions at once would each store its own list of pending ones, and the one that is lost
    looks to the vault like a copy of this phone: the key would be suspended for ever (§5).

    Raises:
        FolderInUseError: another program holds it.
        StorageError: the folder cannot be made or written.
    """
    make_private_folder(folder)
    try:
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        raise storage_error(error) from error
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)  # and with it the lock


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderInUseError("another program is using this phone's folder: wait") from None
